import type { SessionData } from 'express-session'
import type { Stamp } from '../../lib/domain/stamp.js'
import type { SecondStepSession } from '../../lib/web/request/session.js'
import { readStamp } from '../../lib/web/request/written-stamp.js'
import type { Browser } from './browser.js'
import type { Host } from './host.js'

/** A session as the host's memory store keeps it. */
export type StoredSession = SessionData & {
  passport?: { user?: unknown }
  secondStep?: SecondStepSession
}

function textsOf(host: Host): Record<string, string> {
  return (host.sessions as unknown as { sessions: Record<string, string> }).sessions
}

/** A session with the stamp in it, read. */
export type ReadSession = StoredSession & { secondStep?: { verified?: Stamp } }

/** All sessions that the host has now. */
export function sessionsOf(host: Host): readonly ReadSession[] {
  return Object.values(textsOf(host)).map((text) => withStamp(JSON.parse(text) as StoredSession))
}

function withStamp(session: StoredSession): ReadSession {
  const stamp = stampOfSession(session)
  const { secondStep, ...rest } = session
  if (secondStep === undefined || stamp === null) return session as ReadSession
  return { ...rest, secondStep: { ...secondStep, verified: stamp } }
}

/** The stamp of a session as it is stored, or null. */
export function stampOfSession({ secondStep }: StoredSession): Stamp | null {
  return readStamp(secondStep?.verified)
}

/** Changes every stored session, as a host's own code or an older version might have. */
export function editSession(host: Host, edit: (session: StoredSession) => void): void {
  const texts = textsOf(host)
  for (const [id, text] of Object.entries(texts)) {
    const session = JSON.parse(text) as StoredSession
    edit(session)
    texts[id] = JSON.stringify(session)
  }
}

/** The session cookie that a response sets, as `name=value`. */
export function cookieOf({ headers }: { headers: Record<string, unknown> }): string {
  const [cookie] = headers['set-cookie'] as string[]
  return cookie?.split(';', 1)[0] ?? ''
}

/** Gives a browser somebody's cookie. */
export function useCookie(browser: Browser, cookie: string): Browser {
  browser.set('Cookie', cookie)
  return browser
}

/**
 * What a slow request does: it has read the session of this cookie, and writes it back as it was,
 * also when the session was destroyed meanwhile.
 */
export function slowRequest(host: Host, cookie: string): { writeBack(): void } {
  const id =
    decodeURIComponent(cookie)
      .replace(/^[^=]+=s:/, '')
      .split('.', 1)[0] ?? ''
  const text = textsOf(host)[id]
  if (text === undefined) throw new Error(`there is no session ${id}`)
  return {
    writeBack() {
      textsOf(host)[id] = text
    },
  }
}
