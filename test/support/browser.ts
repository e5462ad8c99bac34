import type { Express } from 'express'
import supertest, { type Test } from 'supertest'
import { virtualAuthenticator } from '../../lib/testing/index.js'
import type { MovedSystem } from './clock.js'
import type { HostUser } from './host.js'
import { keptServerOf } from './kept-server.js'

/** One browser: keeps its cookies. */
export type Browser = ReturnType<typeof supertest.agent>

export function browserOf({ app }: { app: Express }): Browser {
  const server = keptServerOf(app)
  return supertest.agent(server).use((request: Test) => request.agent(server.agent))
}

/** One that sends a cookie of something else: it may have a session, which a login destroys. */
export function browserWithCookie(host: { app: Express }): Browser {
  const browser = browserOf(host)
  browser.set('Cookie', 'theme=dark')
  return browser
}

/** The Accept header of a browser that opens a page. */
export const HTML = 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8'
export const JSON_TYPE = 'application/json'

/** The first step, over JSON. */
export function passFirstStep(browser: Browser, { id, password }: HostUser) {
  return browser.post('/login').set('Accept', JSON_TYPE).send({ username: id, password })
}

/** The second step, over JSON. */
export function giveCode(browser: Browser, code: unknown) {
  return browser.post('/second-step/challenge').set('Accept', JSON_TYPE).send({ code })
}

/** What somebody has in hand after a set-up. */
export interface Enrolment {
  /** The code of this moment, of the host's clock. */
  code(): string
  readonly secret: string
  readonly backupCodes: readonly string[]
}

/**
 * Signs a user in who has no second step yet and sets one up. Time moves on by one step, so that
 * the code of the moment is a new one.
 */
export async function enrol(
  host: { app: Express; system: MovedSystem },
  user: HostUser,
  browser: Browser = browserOf(host),
): Promise<Enrolment> {
  const { status } = await passFirstStep(browser, user)
  if (status >= 400) throw new Error(`the first step of ${user.id} was answered with ${status}`)
  const shown = await browser.get('/second-step/setup').set('Accept', JSON_TYPE).expect(200)
  const authenticator = virtualAuthenticator(shown.body.uri)
  const code = () => authenticator.code(host.system.now())
  const confirmed = await browser
    .post('/second-step/setup')
    .set('Accept', JSON_TYPE)
    .send({ code: code() })
    .expect(200)
  host.system.advance(30_000)
  return { code, secret: shown.body.secret, backupCodes: confirmed.body.backupCodes }
}

/** Signs in by both steps. */
export async function signIn(
  browser: Browser,
  user: HostUser,
  enrolment: Enrolment,
): Promise<void> {
  await passFirstStep(browser, user).expect(200)
  await giveCode(browser, enrolment.code()).expect(200)
}
