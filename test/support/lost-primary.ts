import type { Knex } from 'knex'
import { knexStore } from '../../lib/index.js'
import { browserOf, type Enrolment, enrol, giveCode, passFirstStep } from './browser.js'
import { movedSystem } from './clock.js'
import { connectTo } from './databases.js'
import { type Host, type HostUser, makeHost } from './host.js'
import { keptServerOf } from './kept-server.js'
import { movedCounters } from './moved-counters.js'
import type { PostgresPair } from './postgres-pair.js'

/** Somebody with backup codes, and those that have signed them in. */
export interface Owner {
  readonly user: HostUser
  readonly address: string
  readonly enrolment: Enrolment
  readonly accepted: string[]
  /** In the order in which they were given; the last may have had no answer. */
  readonly given: string[]
}

/** An app on a pair, whose connections go to where the primary is. */
export interface AppOnPair {
  readonly host: Host
  readonly owners: readonly Owner[]
  /** From now on connections go there. */
  moveTo(url: string): void
  close(): Promise<void>
}

/** A pool whose every new connection goes where the address leads then. */
export function poolTo(address: () => string): Knex {
  const settings = {
    get connectionString() {
      return address()
    },
  }
  // Knex copies settings that it is given, but not those that a function answers.
  return connectTo(address(), { connection: () => settings, pool: { min: 0, max: 10 } })
}

/** @param count how many people have ten codes each */
export async function startAppOn(pair: PostgresPair, count: number): Promise<AppOnPair> {
  let url = pair.primary.url
  const db = poolTo(() => url)
  const store = knexStore(db)
  await store.migrate()
  const users = Array.from({ length: count }, (_, index) => ({
    ...{ id: `owner-${index}`, name: `Owner ${index}`, password: `password-${index}` },
  }))
  const system = movedSystem()
  const host = makeHost({
    ...{ users, system },
    // Counts may be lost.
    options: { store, counters: movedCounters(system) },
    beforeGuard: ({ app }) => app.set('trust proxy', 1),
  })
  const owners: Owner[] = []
  for (const [index, user] of users.entries()) {
    const address = `198.51.100.${index}`
    const browser = browserOf(host).set('X-Forwarded-For', address)
    const enrolment = await enrol(host, user, browser)
    owners.push({ user, address, enrolment, accepted: [], given: [] })
  }
  return {
    host,
    owners,
    moveTo: (to) => {
      url = to
    },
    async close() {
      await host.secondStep.close()
      keptServerOf(host.app).end()
      await db.destroy()
    },
  }
}

/** The first step of an owner, in a browser of its own. */
export async function begunLogin({ host }: AppOnPair, { user, address }: Owner) {
  const browser = browserOf(host).set('X-Forwarded-For', address)
  const { status } = await passFirstStep(browser, user)
  return { browser, status }
}

/** A slow machine must not refuse because too much is asked at once. */
const AT_ONCE = 8

/**
 * All owners sign in by one code after another, each until one is refused or there is none left.
 *
 * @param accepted called after each code that has signed its owner in, with their number
 * @returns the statuses of what was refused
 */
export async function signInAndOut(
  app: AppOnPair,
  accepted: (count: number) => void,
): Promise<readonly number[]> {
  let count = 0
  const untilRefused = async (owner: Owner): Promise<number[]> => {
    for (const code of owner.enrolment.backupCodes) {
      if (owner.given.includes(code)) continue
      const { browser, status } = await begunLogin(app, owner)
      if (status !== 200) return [status]
      owner.given.push(code)
      const answer = await giveCode(browser, code)
      if (answer.status !== 200) return [answer.status]
      owner.accepted.push(code)
      count += 1
      accepted(count)
    }
    return []
  }
  const owners = app.owners.values()
  const refused: number[] = []
  const each = async () => {
    for (const owner of owners) refused.push(...(await untilRefused(owner)))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, each))
  return refused
}

/** Gives every code again that has signed its owner in. @returns those that did so again */
export async function openAgain(app: AppOnPair): Promise<readonly string[]> {
  const opened: string[] = []
  for (const owner of app.owners) {
    let login = await begunLogin(app, owner)
    for (const code of owner.accepted) {
      const answer = await giveCode(login.browser, code)
      if (answer.status === 200) {
        opened.push(code)
        login = await begunLogin(app, owner)
      } else if (answer.body.code !== 'wrong-code') throw new Error(`answered ${answer.text}`)
    }
  }
  return opened
}
