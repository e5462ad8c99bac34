import { Browser, type Desk } from './browser.js'
import type { Random } from './random.js'
import { codeOf, type FleetUser, stepAt, wrongCodeOf } from './users.js'

/** A code that a visit gives: the user's next one. */
export interface NextCode {
  readonly name: string
  readonly code: string
}

/** What a visit works with. */
export interface Visit {
  readonly user: FleetUser
  readonly random: Random
  /** A new browser, with nothing in it. */
  browser(): Browser
  /** The code of the next time step, or the next backup code: each is given out once. */
  next(kind: 'totp' | 'backup'): NextCode | null
}

export type VisitKind = (visit: Visit) => Promise<boolean>

/** Password and code. */
const plain: VisitKind = async (visit) => {
  const browser = visit.browser()
  if (!(await browser.password())) return false
  return give(visit, browser, visit.next('totp'))
}

const withBackupCode: VisitKind = async (visit) => {
  const browser = visit.browser()
  if (!(await browser.password())) return false
  return give(visit, browser, visit.next('backup') ?? visit.next('totp'))
}

/** One code in two browsers at once. The proxy gives them to two processes. */
const twiceAtOnce: VisitKind = async (visit) => {
  const pair = [visit.browser(), visit.browser()]
  const open = await Promise.all(pair.map((browser) => browser.password()))
  const next = visit.next(visit.random.happens(0.2) ? 'backup' : 'totp')
  const both = pair.filter((_, index) => open[index])
  const won = await Promise.all(both.map((browser) => give(visit, browser, next)))
  return won.some(Boolean)
}

/** One code once more, when it has opened a door. */
const onceMore: VisitKind = async (visit) => {
  const [browser, other] = [visit.browser(), visit.browser()]
  if (!(await browser.password())) return false
  const next = visit.next(visit.random.happens(0.2) ? 'backup' : 'totp')
  const won = await give(visit, browser, next)
  if (await other.password()) await give(visit, other, next)
  await other.page()
  return won
}

const afterATypo: VisitKind = async (visit) => {
  const browser = visit.browser()
  if (!(await browser.password())) return false
  await guess(visit, browser)
  return give(visit, browser, visit.next('totp'))
}

/** The password alone, and then to a page. */
const withoutCode: VisitKind = async (visit) => {
  const browser = visit.browser()
  await browser.password()
  await browser.page()
  return false
}

/** Somebody who knows the password guesses, in several browsers at once. */
export const guessing: VisitKind = async (visit) => {
  const tabs = Array.from({ length: 4 }, () => visit.browser())
  await Promise.all(tabs.map((tab) => tab.password()))
  await Promise.all(
    tabs.map(async (tab) => {
      for (let nth = 0; nth < 3; nth += 1) await guess(visit, tab)
      await tab.page()
    }),
  )
  return false
}

/** How often each kind of visit comes, of a hundred. */
const SHARES: readonly (readonly [VisitKind, number])[] = [
  [plain, 58],
  [withBackupCode, 6],
  [twiceAtOnce, 12],
  [onceMore, 12],
  [afterATypo, 6],
  [withoutCode, 6],
]

export function drawVisit(random: Random): VisitKind {
  let place = random.below(100)
  const drawn = SHARES.find(([, share]) => {
    place -= share
    return place < 0
  })
  return drawn?.[0] ?? plain
}

async function give({ random }: Visit, browser: Browser, next: NextCode | null): Promise<boolean> {
  if (next === null) return false
  const isIn = await browser.code(next.name, next.code)
  if (random.happens(0.2)) await browser.page()
  return isIn
}

async function guess({ user, random }: Visit, browser: Browser): Promise<void> {
  const nth = random.below(1_000_000)
  await browser.code(`wrong:${nth}`, wrongCodeOf(user, stepAt(Date.now()), nth))
}

/** What makes browsers and codes for one user. */
export function visitOf(
  user: FleetUser,
  { url, desk, random, codes }: Pick<Visit, 'random'> & { url: string; desk: Desk; codes: Codes },
): Visit {
  return {
    user,
    random,
    browser: () => new Browser(url, user, desk),
    next: (kind) => (kind === 'totp' ? codes.step(user) : codes.backup(user)),
  }
}

/** Gives each code out once, and tells whose next one would still be refused as too early. */
export class Codes {
  readonly #steps = new Map<string, number>()
  readonly #backups = new Map<string, number>()

  /** Servers take a code of the step that begins next. */
  isReady({ id }: FleetUser): boolean {
    return (this.#steps.get(id) ?? 0) <= stepAt(Date.now())
  }

  step(user: FleetUser): NextCode | null {
    if (!this.isReady(user)) return null
    const step = Math.max(stepAt(Date.now()), (this.#steps.get(user.id) ?? 0) + 1)
    this.#steps.set(user.id, step)
    return { name: `totp:${step}`, code: codeOf(user, step) }
  }

  backup({ id, backupCodes }: FleetUser): NextCode | null {
    const place = this.#backups.get(id) ?? 0
    const code = backupCodes[place]
    if (code === undefined) return null
    this.#backups.set(id, place + 1)
    return { name: `backup:${place}`, code }
  }
}
