import type { Request, Response } from 'express'
import type { UserAction } from '../../domain/admin-actions.js'
import type { RelyingParty } from '../../factors/ceremony.js'
import type { Authenticator } from '../../factors/factors.js'
import type { KeyIds } from '../../factors/key-status.js'
import type { System } from '../../ports/system.js'
import type { Account, Accounts } from '../../service/accounts.js'
import type { AdminLimits } from '../../service/admin-limits.js'
import type { Administration } from '../../service/administration.js'
import type { AssignedTokens } from '../../service/assigned-tokens.js'
import type { Audit } from '../../service/audit.js'
import type { BackupCodes } from '../../service/backup-codes.js'
import type { Challenge } from '../../service/challenge.js'
import type { CodeLimits } from '../../service/code-limits.js'
import type { Directory } from '../../service/directory.js'
import type { FailureReporter } from '../../service/failure-reporter.js'
import type { Lost } from '../../service/lost.js'
import type { MountedRules } from '../../service/mounted-rules.js'
import type { OneTimeCodes } from '../../service/one-time-codes.js'
import type { Overview } from '../../service/overview.js'
import type { OwnAuthenticators } from '../../service/own-authenticators.js'
import type { PasswordLimits } from '../../service/password-limits.js'
import type { PolicyCounts } from '../../service/policy-count.js'
import type { Reset } from '../../service/reset.js'
import type { Sessions } from '../../service/sessions.js'
import type { Setup } from '../../service/setup.js'
import type { SetupConfirmations } from '../../service/setup-confirmations.js'
import type { ShowAgain } from '../../service/shown-codes.js'
import type { TrustedBrowsers } from '../../service/trusted-browsers.js'
import type { Upstream } from '../../service/upstream.js'
import type { Messages, Translate } from '../../text/messages.js'
import type { Render } from '../../text/pages.js'
import type { TimeShape } from '../../text/time-shown.js'
import type { PassportInstance } from './passport.js'

/** Where the pages are, as the visitor's browser sees it. */
export interface Paths {
  readonly secondStep: string
  readonly admin: string
  readonly signIn: string
  readonly signedIn: string
}

/** The gate's information for a host that answers itself. */
export interface PendingInfo {
  /** What is missing: a code, or an authenticator first. */
  readonly status: 'code-required' | 'setup-required'
  /** Path of the page that asks for it. */
  readonly next: string
}

/** The values of the view `_banner`. */
export interface BannerValues {
  readonly t: Translate
  readonly issuer: string
  /** `paths.secondStep` */
  readonly base: string
  /** As people read it. */
  readonly deadline: string
  /** ISO 8601 */
  readonly deadlineAt: string
  /** As pages have them. */
  readonly time: (time: Date, shape?: TimeShape) => string
  readonly around: (key: string, name: string, at: Date) => readonly string[]
}

/** Where the app and its pages are. */
export interface Places {
  /** The prefix that a proxy strips from every path. Empty if none. */
  readonly base: string
  /** With `base`. */
  readonly paths: Paths
  readonly origin: string
  readonly origins: ReadonlySet<string>
}

/** Texts, and the choice of language. */
export interface Words {
  readonly issuer: string
  readonly messages: Messages
  readonly render: Render
  /** Writes the fragment that tells of a deadline, for the host's own pages. */
  readonly banner: (values: BannerValues) => string
  /** The language that the host's function says, if any. */
  readonly language: (req: Request) => string | undefined
  readonly formFields: (req: Request) => Readonly<Record<string, string>>
}

/** The host: its Passport, its users, and its functions. */
export interface HostApp {
  readonly passports: readonly PassportInstance[]
  readonly describe: (user: Express.User) => Account<Express.User>
  /** Null, like `directory`, if the host has not given `users`. */
  readonly accounts: Accounts<Express.User> | null
  /** The id that the host knows a user of the records by; null for one of another realm. */
  readonly hostIdOf: (recordId: string) => string | null
  readonly keepInSession: readonly string[]
  readonly onPending: ((req: Request, res: Response, info: PendingInfo) => unknown) | null
  /** What the host says of a second step that was passed upstream. Null: it believes nobody. */
  readonly satisfiedBy: ((req: Request, user: Express.User, info: unknown) => unknown) | null
  /** Milliseconds that one call of the host's, or of the session store, may take. */
  readonly timeout: number
  readonly ipLimit: (req: Request) => number
  /** Whether to ignore forwarding headers from an address that Express does not trust. */
  readonly ignoreForwardedFor: boolean
  /** Whether users are told by mail what happens. */
  readonly mails: boolean
}

/** What happens to second steps. */
export interface Services {
  readonly sessions: Sessions
  readonly upstream: Upstream
  readonly challenge: Challenge
  /** What the app's routes accept. */
  readonly mountedRules: MountedRules
  readonly setup: Setup
  readonly setupConfirmations: SetupConfirmations
  readonly backupCodes: BackupCodes
  readonly reset: Reset
  readonly ownAuthenticators: OwnAuthenticators
  /** Null where no reset by mail is offered. */
  readonly lost: Lost | null
  /** Null where no browser is trusted. */
  readonly trustedBrowsers: TrustedBrowsers | null
  readonly showAgain: ShowAgain
  /** Whether users may see their live key again. */
  readonly showKey: boolean
  /** The types of authenticators that users may set up, the usual one first. */
  readonly authenticators: readonly Authenticator['type'][]
  /** As security keys and passkeys know the app. Null: the host has no WebAuthn. */
  readonly webauthn: RelyingParty | null
  /** Backup codes that were made under another key no longer work. */
  readonly keyIds: KeyIds
  readonly limits: CodeLimits
  readonly passwordLimits: PasswordLimits
  readonly adminLimits: AdminLimits
  readonly audit: Audit
  readonly failureReporter: FailureReporter
  readonly system: System
}

/** The part for admins. */
export interface AdminServices {
  readonly administration: Administration
  readonly assignedTokens: AssignedTokens
  /** Null, like `directory`, if the host has not given `users`. */
  readonly policyCounts: PolicyCounts | null
  readonly directory: Directory<Express.User> | null
  /** Null, like `directory`, if the host has not given `users`. */
  readonly overview: Overview | null
  /** Whether an admin may do this to this user. */
  readonly canAdminister: (
    actor: Account<Express.User>,
    user: Account<Express.User>,
    action: UserAction,
  ) => Promise<boolean>
  /** Whether a user without an admin role may use the admin router all the same. */
  readonly allowAdmin: (req: Request, user: Express.User) => Promise<boolean>
  /** Whether admins must give a reason for each change. */
  readonly demandReason: boolean
  /** The other way round; null for what is no id. */
  readonly recordIdOf: (hostId: string) => string | null
  /** The roles that the policy may have rules for. */
  readonly roles: readonly string[]
  readonly oneTimeCodes: OneTimeCodes
  /** Whether users are told which admin changed their second step. */
  readonly nameAdmins: boolean
}

/** Everything that the handlers share: made once at start-up, never changed. A function names the part it needs. */
export interface Site extends Places, Words, HostApp, Services, AdminServices {}
