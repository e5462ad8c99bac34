/** The fields of a form or of a JSON body, as they came in. */
export type Form = Readonly<Record<string, unknown>>

/** What a factor may do with the host's keys. Each call rejects where the keys do not answer. */
export interface Keys {
  /** Ids of the ring's keys, in the order of their digests. They tell nothing of the keys. */
  readonly keyIds: readonly [string, ...string[]]
  seal(secret: Uint8Array, purpose: SealPurpose): Promise<string>
  open(sealed: string, purpose: SealPurpose): Promise<Opened>
  /** The digests of a code under every key of the ring, the current key's first. */
  digests(code: string, purpose: DigestPurpose): Promise<readonly [Digest, ...Digest[]]>
}

/** What a sealed secret is for: sealed for one purpose it does not open for another. */
export type SealPurpose = 'authenticator' | 'setup'

/** What a digest is bound to, besides the user. */
export interface DigestPurpose {
  readonly purpose: 'backup-code' | 'one-time-code'
  /** Id of the set, or of the one-time code. */
  readonly setId: string
}

export type Digest = string

/** An opened secret. */
export interface Opened {
  readonly secret: Uint8Array
  /** It was sealed under an older key: seal it again at the next write. */
  readonly stale: boolean
}

/** When, and with what, an answer is judged. */
export interface Moment {
  /** Milliseconds since 1970 (UTC). */
  readonly now: number
  /** Time steps before and after the expected one that are accepted. */
  readonly window: number
  /** The keys, bound to the user whose record it is. */
  readonly keys: Keys
}

/** What decides whether a spare factor is accepted. */
export interface Circumstances {
  /** The user has a main factor. */
  readonly enrolled: boolean
  /** The proof is given in a pending login. */
  readonly pending: boolean
  /** The policy accepts backup codes. */
  readonly backupCodes: boolean
  /** An admin has made a one-time code. */
  readonly oneTimeCodes: boolean
}

/**
 * What became of an answer. `used`: it was right once, so nobody guessed it and it costs nothing.
 * `kept` is what the record keeps from now on.
 */
export type FactorAnswer<Kept> =
  | { readonly kind: 'right'; readonly kept: Kept; readonly told: readonly FactorEvent[] }
  | { readonly kind: 'used' }
  | { readonly kind: 'wrong' }

/** What a right answer announces besides `code-accepted`. */
export type FactorEvent =
  | {
      readonly type: 'backup-code-used' | 'backup-codes-low'
      readonly detail: { readonly backupCodesLeft: number }
    }
  | { readonly type: 'one-time-code-used'; readonly detail?: null }

/**
 * Something that a user proves the second step with. A factor knows what a record keeps of it, which
 * form fields are its own, and what a right answer is. Admission, misses, waits, the lock, the epoch,
 * mails and events know no factor.
 */
export interface Factor<Method extends string, Kept, Given> {
  /** Its name on the wire, in stamps and in events. */
  readonly method: Method
  /** A user with a main factor is enrolled. A spare factor alone is not enough. */
  readonly role: 'main' | 'spare'
  /** `lock`: misses are counted together and lock. `uncounted`: it can't be guessed. */
  readonly misses: 'lock' | 'uncounted'
  /** What a right answer opens: the session, or only the set-up. */
  readonly opens: 'session' | 'setup'
  /** Checks what a store has given back. */
  isKept(value: unknown): value is Kept
  /** Reads an answer. `undefined`: the form holds nothing of this factor's shape. */
  read(form: Form): Given | undefined
  answer(kept: Kept, given: Given, moment: Moment): Promise<FactorAnswer<Kept>>
}

/** A factor that an authenticator is bound with. Its `method` is the authenticator's `type`. */
export interface MainFactor<Method extends string, Kept extends Bound, Given, Making, Options>
  extends Factor<Method, Kept, Given> {
  readonly role: 'main'
  /** Whether an answer can belong to what is kept. One that can't is malformed and costs nothing. */
  fits(kept: Kept | Making, given: Given): boolean
  /** How many codes are right at one moment: the caps of misses shrink by it. */
  codesAtOnce(kept: Kept, window: number): number
  /**
   * Where the code that a device shows now was used already: when it shows the next one, in
   * milliseconds. Null: the present code can be used.
   */
  nextCodeAt(kept: Kept, now: number): number | null
  isMaking(value: unknown): value is Making
  /** Begins a set-up: what is kept until one answer proves it. */
  make(random: Uint8Array, options: Options, keys: Keys): Promise<Making>
  /** Judges the answer that is to prove a set-up. */
  prove(making: Making, given: Given, moment: Moment): Promise<Proven<Kept>>
}

/** A factor that helps a user who has a main one. */
export interface SpareFactor<Method extends string, Kept, Given>
  extends Factor<Method, Kept, Given> {
  readonly role: 'spare'
  /** The member of the record that keeps it. */
  readonly keptAs: 'backupCodes' | 'oneTimeCodes'
  /** Why it is not accepted in these circumstances, or null. */
  refusal(circumstances: Circumstances): 'not-enrolled' | 'switched-off' | null
}

/** What became of the answer that is to prove a set-up. */
export type Proven<Kept extends Bound> =
  | { readonly kind: 'right'; readonly kept: Omit<Kept, Exclude<keyof Bound, 'type'>> }
  | {
      readonly kind: 'wrong'
      /** Seconds that the device's clock is ahead (below zero: behind), where the answer tells. */
      readonly clockOff: number | null
    }

/** What every bound authenticator has, whatever its factor. Times in milliseconds. */
export interface Bound {
  /** Unique in the record. */
  readonly id: string
  /** The method of its factor. */
  readonly type: string
  /** What the user calls it, or null. */
  readonly name: string | null
  readonly since: number
  /** When it last gave an accepted code, or null. */
  readonly lastUsedAt: number | null
}
