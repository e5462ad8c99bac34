import { expect } from 'chai'
import type { RequestHandler } from 'express'
import type { Mail, SecondStepOptions } from '../../lib/index.js'
import { postJson } from './answers.js'
import type { Browser } from './browser.js'
import { DAY } from './clock.js'
import { ann, type Host, type HostOptions, type HostUser } from './host.js'
import { pendingVisit, recordOf, type Visit } from './visits.js'

/** Ann, with the address that is on record. */
export const member = { ...ann, email: 'ann@acme.example' }

const LINK = /\/second-step\/lost\/[\w.-]+/

/** A host whose mails are kept here, and whose users may change. */
export interface LostHost {
  readonly options: HostOptions
  readonly mails: Mail[]
  readonly users: Map<string, HostUser>
  /** Resolves when every answer is out and what comes of it is done. */
  idle(host: Host): Promise<void>
}

/** What makes a host that can reset by mail. */
export function lostHost(
  more: Partial<SecondStepOptions<HostUser>> = {},
  people: readonly HostUser[] = [member],
): LostHost {
  const mails: Mail[] = []
  const users = new Map(people.map((user) => [user.id, user]))
  const answers = answersUnderWay()
  return {
    mails,
    users,
    options: {
      users: people,
      beforeGuard: ({ app }) => void app.use(answers.watch),
      options: {
        users: { findById: async (id) => users.get(id) ?? null },
        mail: {
          from: 'Acme <no-reply@acme.example>',
          transport: { sendMail: async (mail) => mails.push(mail) },
        },
        ...more,
      },
    },
    async idle({ secondStep }) {
      await answers.out()
      await secondStep.close()
    },
  }
}

/** Clients have an answer before the server says that it is out. */
function answersUnderWay(): { watch: RequestHandler; out(): Promise<void> } {
  const underWay = new Set<Promise<void>>()
  return {
    watch(_req, res, next) {
      const out = new Promise<void>((resolve) => res.once('close', () => resolve()))
      underWay.add(out)
      out.then(() => underWay.delete(out))
      next()
    },
    out: async () => void (await Promise.all(underWay)),
  }
}

/** Ann has given the password, and has no code. */
export interface LostVisit extends Visit, Pick<LostHost, 'mails' | 'users'> {
  /** Asks in this browser and waits for what comes of it. */
  ask(email?: string, browser?: Browser): Promise<void>
  idle(): Promise<void>
  /** The path of the last mail's link. */
  link(): string
}

export async function lostVisit(
  more: Partial<SecondStepOptions<HostUser>> = {},
  people?: readonly HostUser[],
): Promise<LostVisit> {
  const { options, mails, users, idle } = lostHost(more, people)
  const visit = await pendingVisit(options)
  await idle(visit.host)
  mails.splice(0)
  return {
    ...visit,
    mails,
    users,
    idle: () => idle(visit.host),
    link: () => linkIn(mails.findLast(hasLink)),
    async ask(email = member.email, browser = visit.browser) {
      const answer = await postJson(browser, '/second-step/lost', { email })
      expect(answer.status).to.equal(202)
      expect(answer.body).to.deep.equal({ status: 'accepted' })
      await idle(visit.host)
    },
  }
}

/** Whether a mail has the link of a reset. */
export function hasLink({ text }: Pick<Mail, 'text'>): boolean {
  return LINK.test(text)
}

/** The path of the link that a mail has. */
export function linkIn(mail: Pick<Mail, 'text'> | undefined): string {
  const [link] = LINK.exec(mail?.text ?? '') ?? []
  if (link === undefined) throw new Error('there is no link')
  return link
}

/** A reset by mail waits, as if somebody had asked for it. */
export async function putWaitingReset(host: Host): Promise<void> {
  const record = await recordOf(host)
  const askedAt = host.system.now()
  const mailReset = {
    ...{ id: 'reset', keyId: null, addressDigest: 'address', digests: ['digest'] },
    ...{ askedAt, usableAt: askedAt + DAY, expiresAt: askedAt + 2 * DAY },
    ...{ readyTold: false, ip: null, userAgent: null },
  }
  const next = { ...record, mailReset, version: record.version + 1, writeId: 'waiting' }
  expect(await host.store.write(next, record.version)).to.equal(true)
}
