import type { AppProcess } from './app-process.js'
import { check, cookieOf, written } from './http-client.js'
import { codeAt, type Proofs, type Wire, wireOf } from './wire.js'

/** Milliseconds. A whole number of steps of a code. */
const DAY = 86_400_000

/** The users of one app, and how far their logins are. */
export class Accounts {
  readonly app: AppProcess
  readonly wire: Wire
  readonly #proofs = new Map<string, Proofs>()
  readonly #registered = new Set<string>()
  #ahead = 0

  constructor(app: AppProcess) {
    this.app = app
    this.wire = wireOf(app.name)
  }

  /** Gives each of the users a second step who has none yet. */
  async enrol(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      if (this.#proofs.has(id)) continue
      const now = Date.now() + this.#ahead
      this.#proofs.set(id, await this.wire.enrol(this.app, id, now))
    }
  }

  /** Makes accounts without a second step. */
  async register(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      if (this.#registered.has(id)) continue
      this.#registered.add(id)
      await this.wire.register?.(this.app, id)
    }
  }

  /**
   * The next day, when every user's authenticator shows another code. Users who sign in twice a minute would measure
   * what is kept of a login for a day.
   */
  async nextCodes(): Promise<void> {
    if (!this.wire.takesCodesOnce) return
    this.#ahead += DAY
    await this.app.ask('advance', DAY)
  }

  /** Passes the first step. @returns the cookies */
  async pending(ids: readonly string[]): Promise<string[]> {
    const answers = await this.app.client.all(ids.map((id) => written(this.wire.login(id))))
    for (const answer of answers) check(answer, this.wire.pending)
    return answers.map(cookieOf)
  }

  /** Passes both steps. @returns the cookies */
  async signedIn(ids: readonly string[]): Promise<string[]> {
    await this.enrol(ids)
    await this.nextCodes()
    const cookies = await this.pending(ids)
    if (!this.wire.asksForCodes) return cookies
    const answers = await this.app.client.all(this.codeRequests(ids, cookies))
    for (const answer of answers) check(answer, this.wire.accepted)
    return answers.map((answer, nth) => cookieOf(answer) || (cookies[nth] ?? ''))
  }

  /** The request with the code that a user's authenticator shows now, for each pending login. */
  codeRequests(ids: readonly string[], cookies: readonly string[]): string[] {
    return this.codesOf(ids).map((code, nth) => written(this.wire.code(code, cookies[nth] ?? '')))
  }

  /** The codes that the users' authenticators show now. */
  codesOf(ids: readonly string[]): string[] {
    const now = Date.now() + this.#ahead
    const code = this.wire.codeAt ?? codeAt
    return ids.map((id) => code(this.#proofsOf(id).secret, now))
  }

  /** … with a backup code that was not used yet. */
  backupCodeRequests(ids: readonly string[], cookies: readonly string[], nthCode: number) {
    return ids.map((id, nth) => {
      const code = this.#proofsOf(id).backupCodes[nthCode]
      if (code === undefined) throw new Error(`${id} has no backup code ${nthCode} in this app`)
      return written(this.wire.backupCode(code, cookies[nth] ?? ''))
    })
  }

  #proofsOf(id: string): Proofs {
    const proofs = this.#proofs.get(id)
    if (proofs === undefined) throw new Error(`${id} has no second step`)
    return proofs
  }
}

/** Ids of users, the same in every app. */
export function userIds(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, nth) => `${name}-${nth}`)
}
