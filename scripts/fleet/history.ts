/** What a browser of the load asked for. */
export type Step = 'password' | 'code' | 'page'

/** One request of the load, and what came back. Times are milliseconds since the run began. */
export interface Attempt {
  readonly kind: 'attempt'
  /** The browser that sent it. One browser is one login. */
  readonly browser: number
  readonly user: string
  readonly step: Step
  /**
   * Names the code, and never is one: `totp:<time step>`, `backup:<place in the set>`, or `wrong:<number>` for what is
   * no code of the user's. Null: the request gave none.
   */
  readonly code: string | null
  /** The app process that answered, as the proxy says. Null: nobody did. */
  readonly app: string | null
  /** Milliseconds that the proxy had lost at apps that did not answer, before it asked this one. */
  readonly elsewhere: number
  readonly called: number
  readonly answered: number
  /** Null: the connection broke. */
  readonly status: number | null
  /** `code` or `status` of the JSON; `gateway` for an answer of the proxy's own, `none` for no answer. */
  readonly verdict: string
}

/** A fault of the nemesis, from its beginning to the end of the recovery. */
export interface Fault {
  readonly kind: 'fault'
  readonly fault: string
  readonly target: string
  readonly from: number
  /** The nemesis stopped doing harm. */
  readonly healed: number
  /** All parts were in service again. Null: they were not, in the time that they had. */
  readonly recovered: number | null
}

/** A time in which an app process could not run, or could not reach the proxy. */
export interface Pause {
  readonly kind: 'pause'
  /** Null: the load itself, whichever process answers. */
  readonly app: string | null
  readonly from: number
  readonly to: number
  /** Milliseconds of it in which nothing could go on. */
  readonly stood: number
}

/** The entries of the audit log about one user, counted at the end. */
export interface Audited {
  readonly kind: 'audited'
  readonly user: string
  readonly codes: number
  readonly backupCodes: number
  readonly wrong: number
}

/** A login at the end, when nothing does harm any more, through this process. */
export interface LastLogin {
  readonly kind: 'last-login'
  readonly app: string
  readonly verdict: string
}

/** All that happened in a run, one line of JSON each. */
export type Entry = Attempt | Fault | Pause | Audited | LastLogin

/** The answer that opened a session by a code. */
export function isSuccess({ step, verdict }: Attempt): boolean {
  return step === 'code' && verdict === 'signed-in'
}

/** Whether the request gave something that is no code of the user's, as far ahead as any clock went. */
export function isGuess({ code }: Attempt): boolean {
  return code?.startsWith('wrong:') === true
}

/** Whether an app answered, and not the proxy for it. */
export function isAnswered({ verdict }: Attempt): boolean {
  return verdict !== 'none' && verdict !== 'gateway'
}

/** The entries by what they are about, in their order. */
export function grouped<T>(entries: readonly T[], by: (entry: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const entry of entries) {
    const key = by(entry)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [entry])
    else group.push(entry)
  }
  return groups
}
