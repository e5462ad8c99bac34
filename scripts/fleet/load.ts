import { Browser, type Desk } from './browser.js'
import { isSuccess } from './history.js'
import type { Random } from './random.js'
import type { FleetUser } from './users.js'
import { codeOf } from './users.js'
import { Codes, drawVisit, guessing, visitOf } from './visits.js'
import { pause } from './waiting.js'

/** How many of a hundred visits are guesses at an account that its owner leaves alone. */
const GUESSES = 0.01
/** One guessed account to so many others. */
const FOR_EACH_GUESSED = 100
/** Replays after a fault. */
const REPLAYS = 60
const BEFORE_A_FAULT = 1500

export interface LoadOptions {
  readonly url: string
  readonly users: readonly FleetUser[]
  readonly desk: Desk
  readonly random: Random
  /** How many visits go on at once. */
  readonly atOnce: number
}

/** People who sign in, and some who attack, at a bounded concurrency. */
export class Load {
  readonly #options: LoadOptions
  readonly #owners: readonly FleetUser[]
  readonly #guessed: readonly FleetUser[]
  readonly #byId: ReadonlyMap<string, FleetUser>
  readonly #busy = new Set<string>()
  readonly #codes = new Codes()
  #cursor = 0
  #logins = 0

  constructor(options: LoadOptions) {
    const { users } = options
    const guessed = Math.max(3, Math.ceil(users.length / FOR_EACH_GUESSED))
    this.#options = options
    this.#guessed = users.slice(0, guessed)
    this.#owners = users.slice(guessed)
    this.#byId = new Map(users.map((user) => [user.id, user]))
  }

  /** Logins with a second step that were answered as signed in. */
  get logins(): number {
    return this.#logins
  }

  /** Goes on until it is told to end, and all visits have come to their end. */
  async run(isEnding: () => boolean): Promise<void> {
    const { atOnce, random } = this.#options
    const one = async (own: Random) => {
      while (!isEnding()) await this.#visit(own)
    }
    await Promise.all(Array.from({ length: atOnce }, () => one(random.branch())))
  }

  /** Gives codes once more that have opened a door shortly before a fault, or in it. */
  async replay(from: number): Promise<void> {
    const { desk, random, url } = this.#options
    const { entries } = desk.recorder
    const since = entries.findLastIndex(
      (entry) => entry.kind === 'attempt' && entry.answered < from - BEFORE_A_FAULT,
    )
    const recent = entries.slice(since + 1).flatMap((entry) => {
      const isCode = entry.kind === 'attempt' && isSuccess(entry)
      return isCode && entry.answered < from + BEFORE_A_FAULT ? [entry] : []
    })
    await Promise.all(
      random
        .shuffled(recent)
        .slice(0, REPLAYS)
        .map(async ({ user: id, code: name }) => {
          const user = this.#byId.get(id)
          if (user === undefined || name === null) return
          const browser = new Browser(url, user, desk)
          if (await browser.password()) await browser.code(name, againOf(user, name))
          await browser.page()
        }),
    )
  }

  async #visit(random: Random): Promise<void> {
    const { url, desk } = this.#options
    const isGuess = random.happens(GUESSES)
    const user = isGuess ? random.pick(this.#guessed) : this.#nextOwner()
    if (user === null || this.#busy.has(user.id)) return pause(20)
    this.#busy.add(user.id)
    const visit = visitOf(user, { url, desk, random, codes: this.#codes })
    const isIn = await (isGuess ? guessing : drawVisit(random))(visit)
    this.#busy.delete(user.id)
    if (isIn) this.#logins += 1
    // A fleet that refuses everything answers at once.
    else await pause(20)
  }

  /** Who has waited longest, of those whose app shows a new code. Null: all of them must wait. */
  #nextOwner(): FleetUser | null {
    for (let looked = 0; looked < this.#owners.length; looked += 1) {
      const user = this.#owners[this.#cursor % this.#owners.length]
      this.#cursor += 1
      if (user !== undefined && !this.#busy.has(user.id) && this.#codes.isReady(user)) return user
    }
    return null
  }
}

/** The same code, by its name. */
function againOf(user: FleetUser, name: string): string {
  const [kind, place] = name.split(':')
  return kind === 'totp' ? codeOf(user, Number(place)) : (user.backupCodes[Number(place)] ?? '')
}
