import { type Authenticator, type CodeAuthenticator, showsCodes } from '../factors/factors.js'
import { type ShownAuthenticator, shownAuthenticators } from './shown-authenticator.js'

/** An authenticator on a page for admins, with the kind of its codes. Nothing of its key. */
export interface AdminAuthenticator extends ShownAuthenticator {
  /** Null: it shows none. */
  readonly codes: {
    /** Such as `SHA-256`. */
    readonly algorithm: string
    readonly digits: number
    /** Seconds that a code lasts; null: it is counted. */
    readonly period: number | null
  } | null
}

export function adminAuthenticators({
  authenticators,
}: {
  readonly authenticators: readonly Authenticator[]
}): readonly AdminAuthenticator[] {
  return authenticators.flatMap((one) =>
    shownAuthenticators({ authenticators: [one] }).map((shown) => ({
      ...shown,
      codes: showsCodes(one) ? codesOf(one) : null,
    })),
  )
}

function codesOf(one: CodeAuthenticator): AdminAuthenticator['codes'] {
  return {
    algorithm: one.algorithm.toUpperCase().replace('SHA', 'SHA-'),
    digits: one.digits,
    period: one.type === 'totp' ? one.period : null,
  }
}
