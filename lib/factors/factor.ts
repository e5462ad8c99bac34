import type { Ceremonies, RelyingParty } from './ceremony.js'

/** The fields of a form or of a JSON body, as they came in. */
export type Form = Readonly<Record<string, unknown>>

/** The operations of a factor with the host's keys. Each call rejects if the keys do not answer. */
export interface Keys {
  /** Ids of the ring's keys, in the order of their digests. They tell nothing of the keys. */
  readonly keyIds: readonly [string, ...string[]]
  seal(secret: Uint8Array, purpose: SealPurpose): Promise<string>
  open(sealed: string, purpose: SealPurpose): Promise<Opened>
  /** The digests of a code under every key of the ring, the current key's first. */
  digests(code: string, purpose: DigestPurpose): Promise<readonly [Digest, ...Digest[]]>
}

/** The purpose of a sealed secret. It opens only for the purpose that it was sealed for. */
export type SealPurpose = 'authenticator' | 'setup'

/** The context that a digest is bound to, besides the user. */
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
  /** What answers to challenges are judged with. Absent: the host has no WebAuthn. */
  readonly ceremonies?: Ceremonies
}

/** The facts that decide whether a spare factor is accepted. */
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
 * The outcome of an answer. `used`: it was right once, so it is no guess and costs nothing. `kept`
 * is the new content of the record.
 */
export type FactorAnswer<Kept> =
  | { readonly kind: 'right'; readonly kept: Kept; readonly events: readonly FactorEvent[] }
  | { readonly kind: 'used' }
  /** It was signed by a copy of the device. From now on, no answer of either is right. */
  | { readonly kind: 'copied'; readonly kept: Kept }
  | {
      readonly kind: 'wrong'
      /** The new content of the record after this miss. Default: as it was. */
      readonly kept?: Kept
      /** Whether another answer could have been right. One that could not costs nothing. Default: true. */
      readonly guess?: boolean
    }

/** The event of a right answer, besides `code-accepted`. */
export type FactorEvent =
  | {
      readonly type: 'backup-code-used' | 'backup-codes-low'
      readonly detail: { readonly backupCodesLeft: number }
    }
  | { readonly type: 'one-time-code-used'; readonly detail?: null }

/**
 * A way to prove the second step. A factor knows its part of the record, its form fields, and how
 * to judge an answer. Admission, misses, waits, the lock, the epoch, mails and events are
 * independent of factors.
 */
export interface Factor<Method extends string, Kept, Given> {
  /** Its name on the wire, in stamps and in events. */
  readonly method: Method
  /** A user with a main factor is enrolled. A spare factor alone is not enough. */
  readonly role: 'main' | 'spare'
  /**
   * `lock`: misses are counted together and lock. `uncounted`: they never lock, because the answer can't be
   * guessed. Either costs a pending login one of its tries.
   */
  readonly misses: 'lock' | 'uncounted'
  /** How RFC 8176 names what a right answer proves, for tokens that hosts issue. */
  readonly amr: readonly string[]
  /** The effect of a right answer: it opens the session, or only the set-up. */
  readonly opens: 'session' | 'setup'
  /** Checks what a store has given back. */
  isKept(value: unknown): value is Kept
  /** Reads an answer. `undefined`: the form holds nothing of this factor's shape. */
  read(form: Form): Given | undefined
  answer(kept: Kept, given: Given, moment: Moment): Promise<FactorAnswer<Kept>>
}

/**
 * A miss that was compared with more codes than usual, as of a new HOTP token: somebody may have pressed its button
 * often before it came to the user, so its first code is looked for far ahead.
 */
export interface ComparedFar {
  /** Milliseconds. */
  readonly missedAt: number
  /** How many codes more than usual. */
  readonly codes: number
}

/** A factor that an authenticator is bound with. Its `method` is the authenticator's `type`. */
export interface MainFactor<Method extends string, Kept extends Bound, Given, Unproven>
  extends Factor<Method, Kept, Given> {
  readonly role: 'main'
  /** Whether an answer fits the kept content. One that does not is malformed and costs nothing. */
  fits(kept: Kept | Unproven, given: Given): boolean
  isUnproven(value: unknown): value is Unproven
  /** Judges the answer that is to prove a set-up. */
  prove(unproven: Unproven, given: Given, moment: Moment): Promise<Proven<Kept, Unproven>>
}

/** A main factor whose authenticators show codes. A code can be guessed, so its misses lock. */
export interface CodeFactor<Method extends string, Kept extends Bound, Given, Unproven, Options>
  extends MainFactor<Method, Kept, Given, Unproven> {
  readonly misses: 'lock'
  /** Whether a right answer depends on the time, and so shows that this machine's clock is right. */
  readonly provesClock: boolean
  /** How many codes are right at one moment: the caps of misses shrink by it. */
  codesAtOnce(window: number): number
  /**
   * The recent misses that were compared with more codes than those of `codesAtOnce`: the caps of a
   * month shrink by them.
   */
  comparedFar(kept: Kept, now: number): readonly ComparedFar[]
  /** Whether two consecutive answers bring the device back when it is out of step. */
  canResync(kept: Kept): boolean
  /** Judges two consecutive answers of a device that is out of step. */
  resync(kept: Kept, answers: readonly [Given, Given], moment: Moment): Promise<FactorAnswer<Kept>>
  /**
   * If the code that a device shows now was used already, when it shows the next one, in
   * milliseconds. Null: the present code is unused.
   */
  nextCodeAt(kept: Kept, now: number): number | null
  /** Begins a set-up. Returns the content to keep until one answer proves it. */
  make(random: Uint8Array, options: Options, keys: Keys): Promise<Unproven>
}

/** A main factor whose authenticators sign a challenge. A signature can't be guessed. */
export interface KeyFactor<Method extends string, Kept extends Bound, Given, Unproven>
  extends MainFactor<Method, Kept, Given, Unproven> {
  readonly misses: 'uncounted'
  /** The challenge that an answer says it answers. */
  challengeOf(given: Given): string
  /** Whether this authenticator is asked: it is not suspended, and made for this relying party. */
  isAsked(kept: Kept, relyingParty: Pick<RelyingParty, 'rpId'>): boolean
  /** Whether both are one key, which counts once. */
  isSame(one: Kept, other: Kept): boolean
  /** Whether a set-up's challenge may still be answered. */
  isOpen(unproven: Unproven, now: number): boolean
  /** The set-up after its challenge was answered, wrongly. */
  closed(unproven: Unproven): Unproven
}

/** A factor that helps a user who has a main one. */
export interface SpareFactor<Method extends string, Kept, Given>
  extends Factor<Method, Kept, Given> {
  readonly role: 'spare'
  /** The member of the record that keeps it. */
  readonly keptAs: 'backupCodes' | 'oneTimeCodes'
  /** The reason why it is not accepted in these circumstances, or null. */
  refusal(circumstances: Circumstances): 'not-enrolled' | 'switched-off' | null
}

/** The outcome of the answer that proves a set-up. */
export type Proven<Kept extends Bound, Unproven = never> =
  | { readonly kind: 'right'; readonly kept: Omit<Kept, Exclude<keyof Bound, 'type'>> }
  | {
      readonly kind: 'wrong'
      /** Seconds that the device's clock is ahead (negative: behind), if the answer shows it. */
      readonly clockOff: number | null
      /** The content to keep after this miss. Default: as it was. */
      readonly unproven?: Unproven
    }

/** The members of every bound authenticator, of any factor. Times in milliseconds. */
export interface Bound {
  /** Unique in the record. */
  readonly id: string
  /** The method of its factor. */
  readonly type: string
  /** The user's name for it, or null. */
  readonly name: string | null
  readonly since: number
  /** When it last gave an accepted code. Null: never, as of a token that was assigned and not yet used. */
  readonly lastUsedAt: number | null
  /** What is printed on a hardware token. Null: an app, or whatever else has no serial number. */
  readonly serial: string | null
}
