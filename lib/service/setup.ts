import type { OtpParameters } from '../domain/authenticator.js'
import {
  BACKUP_CODES_IN_A_SET,
  type BackupCodeSet,
  BYTES_OF_A_BACKUP_CODE,
  backupCodeFrom,
  formatBackupCode,
} from '../domain/backup-codes.js'
import type { TypedCode } from '../domain/code.js'
import type { Decision } from '../domain/decision.js'
import type { Policy } from '../domain/policy.js'
import type { SecondStepRecord } from '../domain/record.js'
import {
  beginSetup,
  type ConfirmSetupAnswer,
  confirmSetup,
  type SetupInProgress,
  setupOf,
} from '../domain/setup.js'
import type { Digester } from '../ports/digester.js'
import type { System } from '../ports/system.js'
import { within } from '../ports/within.js'
import type { Occasion } from './announcer.js'
import type { Limits } from './limits.js'
import type { Records } from './records.js'
import type { Vault } from './vault.js'

const BYTES_OF_A_SECRET = 20

/** Who sets up, and in which login. */
export interface SetupOwner {
  readonly userId: string
  /** Id of the pending login or of the stamp. */
  readonly owner: string
  readonly occasion: Occasion
  readonly record: SecondStepRecord
}

/** A set-up to show: the secret leaves the server here and nowhere else. */
export type SetupShown =
  | { readonly kind: 'shown'; readonly setup: SetupInProgress; readonly secret: Uint8Array }
  | { readonly kind: 'already-enrolled' }

/** What became of the code that was to confirm a set-up. */
export type SetupConfirmed =
  | { readonly kind: 'enrolled'; readonly epoch: number; readonly backupCodes: readonly string[] }
  | { readonly kind: 'wrong-code' | 'setup-expired' | 'already-enrolled' | 'malformed-request' }
  | { readonly kind: 'too-many-attempts'; readonly retryAfter: number }
  | { readonly kind: 'sign-in-again' }

interface Confirmation {
  readonly answer: ConfirmSetupAnswer | { readonly kind: 'sign-in-again' }
  readonly backupCodes: readonly string[]
}

const REVOKED: Confirmation = { answer: { kind: 'sign-in-again' }, backupCodes: [] }

/** Binds an authenticator: shows a secret of the server's, proves it by one code. */
export class Setup {
  readonly #records: Records
  readonly #limits: Limits
  readonly #vault: Vault
  readonly #digester: Digester
  readonly #system: System
  readonly #parameters: OtpParameters
  readonly #window: number

  constructor(parts: {
    records: Records
    limits: Limits
    vault: Vault
    digester: Digester
    system: System
    parameters: OtpParameters
    window: number
  }) {
    this.#records = parts.records
    this.#limits = parts.limits
    this.#vault = parts.vault
    this.#digester = parts.digester
    this.#system = parts.system
    this.#parameters = parts.parameters
    this.#window = parts.window
  }

  /** Begins a set-up, or shows again the one that this login has begun. */
  async show({ userId, owner, occasion, record }: SetupOwner): Promise<SetupShown> {
    const context = { purpose: 'setup', userId } as const
    const begun = await this.#records.change(
      userId,
      occasion,
      async (current, now) => {
        const present = setupOf(current, owner, now)
        const secret =
          present?.secret ??
          (await this.#vault.seal(this.#system.random(BYTES_OF_A_SECRET), context))
        return beginSetup(current, { owner, secret, parameters: this.#parameters }, now)
      },
      record,
    )
    if (begun.kind !== 'in-progress') return begun
    const { secret } = await this.#vault.open(begun.setup.secret, context)
    return { kind: 'shown', setup: begun.setup, secret }
  }

  /** Confirms this login's set-up by one code of the new authenticator. */
  async confirm(
    { userId, owner, occasion, record }: SetupOwner,
    attempt: { code: TypedCode; policy: Policy; ipKey: string | null; ipLimit: number },
  ): Promise<SetupConfirmed> {
    const { code, policy } = attempt
    const setup = setupOf(record, owner, this.#system.now())
    if (record.authenticator !== null) return { kind: 'already-enrolled' }
    if (setup === null) return { kind: 'setup-expired' }
    if (code.kind !== 'otp' || code.code.length !== setup.digits) {
      return { kind: 'malformed-request' }
    }

    const places = await this.#limits.takeForSetup(attempt.ipKey, attempt.ipLimit)
    if (places.kind !== 'taken') return places
    const { answer, backupCodes } = await this.#records.change(
      userId,
      occasion,
      async (current, now): Promise<Decision<Confirmation>> =>
        // What was revoked since this request read the record must bind no authenticator.
        current.epoch === record.epoch
          ? this.#decide(current, owner, code.code, policy, now)
          : { record: current, answer: REVOKED, events: [] },
      record,
    )
    if (answer.kind !== 'wrong-code') void places.giveBack('address')
    return answer.kind === 'enrolled' ? { ...answer, backupCodes } : answer
  }

  async #decide(
    record: SecondStepRecord,
    owner: string,
    code: string,
    policy: Policy,
    now: number,
  ): Promise<Decision<Confirmation>> {
    const { userId } = record
    const setup = setupOf(record, owner, now)
    if (setup === null) {
      const kind = record.authenticator === null ? 'setup-expired' : 'already-enrolled'
      return { record, answer: { answer: { kind }, backupCodes: [] }, events: [] }
    }
    const { secret } = await this.#vault.open(setup.secret, { purpose: 'setup', userId })
    const liveSecret = await this.#vault.seal(secret, { purpose: 'authenticator', userId })
    const made = policy.backupCodes ? await this.#makeBackupCodes(userId, now) : null
    const decision = confirmSetup(
      record,
      { owner, code, secret, liveSecret, backupCodes: made?.set ?? null, window: this.#window },
      now,
    )
    return {
      ...decision,
      answer: { answer: decision.answer, backupCodes: made?.codes ?? [] },
    }
  }

  async #makeBackupCodes(
    userId: string,
    now: number,
  ): Promise<{ set: BackupCodeSet; codes: readonly string[] }> {
    const id = Buffer.from(this.#system.random(12)).toString('base64url')
    const codes = Array.from({ length: BACKUP_CODES_IN_A_SET }, () =>
      backupCodeFrom(this.#system.random(BYTES_OF_A_BACKUP_CODE)),
    )
    const context = { purpose: 'backup-code', userId, setId: id } as const
    const digests = await Promise.all(
      codes.map((code) => within('the key ring', () => this.#digester.digests(code, context))),
    )
    const set: BackupCodeSet = {
      id,
      codes: digests.map(([digest]) => ({ digest, usedAt: null })),
      createdAt: now,
      saved: false,
    }
    return { set, codes: codes.map(formatBackupCode) }
  }
}
