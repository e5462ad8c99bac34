import type { AdminAction, UserAction } from '../domain/admin-actions.js'
import type { CodeSource } from '../domain/authenticators.js'
import type { Actor } from '../domain/event.js'
import type { PolicyMode } from '../domain/policy.js'
import type { Authenticator, FactorMethod } from '../factors/factors.js'
import type { KeyStatus } from '../factors/key-status.js'
import type { PolicyCount } from '../service/policy-count.js'
import type { CodesDone } from '../service/shown-codes.js'
import type { AdminAuthenticator } from './admin-authenticator.js'
import type { Effect } from './effects.js'
import type { Fact } from './facts.js'
import type { Translate } from './messages.js'
import type { OverviewPage } from './overview-page.js'
import type { PolicyLine } from './policy-lines.js'
import type { Lead } from './problem.js'
import type { ShownAuthenticator } from './shown-authenticator.js'
import type { ListedUser, ShownPolicy } from './shown-user.js'
import type { TimeShape } from './time-shown.js'
import type { UserCounts } from './user-counts.js'

/** The pages there are; each is the view of that name. */
export type PageName = keyof PageData

/** What the settings page says once. */
export type Notice =
  | 'disabled'
  | 'codes-saved'
  | 'backup-code-used'
  | 'reset-cancelled'
  | 'authenticator-renamed'
  | 'authenticator-removed'
  | 'resynchronised'
  | 'browser-forgotten'

/** What every page is given besides its own data. */
export interface PageFrame {
  readonly t: Translate
  readonly lang: string
  readonly dir: string
  /** Writes a moment for people to read, in UTC: by default `long`, for a sentence. */
  readonly time: (time: Date, shape?: TimeShape) => string
  /** `paths.secondStep` */
  readonly base: string
  /** `paths.admin` */
  readonly admin: string
  /** The path of a user's page for admins. An id is not safe in a path as it is. */
  readonly userPath: (id: string) => string
  readonly issuer: string
  /** The host's own hidden fields: they are in every form. */
  readonly formFields: Readonly<Record<string, string>>
  /** `paths.signIn` */
  readonly signIn: string
  /** `paths.signedIn` */
  readonly signedIn: string
  /** The visitor may open no admin pages but the overview and users. Default: false. */
  readonly helpDesk?: boolean
  /** Where the style sheet may not answer: its text, for a `<style>` of the page. Default: null. */
  readonly style?: string | null
}

/** What went wrong, in the visitor's language. */
export interface PageProblem {
  readonly code: string
  readonly detail: string
  /** A heading that says more than the code's own. Default: that one. */
  readonly title?: string
  /** Minutes until it is worth trying again, where that is known. */
  readonly minutes?: number
  /** The same where it is more than an hour: a moment, ISO 8601. */
  readonly againAt?: string
  /** Seconds that the device's clock is ahead or, below zero, behind, where a code told. */
  readonly clockOff?: number
  /** Of `malformed-request`: the name of the field that it is about; null: it is about none. */
  readonly field?: string | null
  /** Until when the authenticator's codes are not looked at, ISO 8601. */
  readonly blockedUntil?: string
  /** Wrong codes that this sign-in may still have, or after which the devices are locked. 0: this one locked. */
  readonly triesLeft?: number
  /** The last of these tries locks the devices. Default: false. */
  readonly lastLocks?: boolean
}

/** What an action of the settings may be confirmed with, as the page itself has it. */
export interface OfferedProofs {
  readonly app: boolean
  readonly keys: boolean
  readonly backupCode: boolean
}

/** What the settings page offers, each asked for with a code. */
export type SettingsAction =
  | 'backup-codes'
  | 'change-key'
  | 'show-key'
  | 'resync'
  | 'reset'
  | 'disable'
  | 'authenticators'
  | 'authenticators:webauthn'
  /** Of one authenticator; the others of it only where there are several. */
  | `${'rename' | 'remove' | 'change-key' | 'show-key'}:${string}`

/** The forms of a user's page for admins. */
export type AdminForm = UserAction | 'pause-forever'

/** What an admin makes for a user and is shown once. */
export type CodesKind = 'backup-codes' | 'one-time-code'

/** What has happened to a second step. */
export interface PageEvent {
  /** ISO 8601 */
  readonly at: string
  readonly type: string
  /** There is a text for it: `event.<type>`. */
  readonly hasText: boolean
  readonly actor: Actor
  /** The host's id of the user whose second step it is, or null. */
  readonly user: string | null
  /** IP address and browser; empty where nothing is known. */
  readonly from: string
  readonly reason: string | null
  /** The name of the device that it is about, or its serial number. Default: null. */
  readonly device?: string | null
  /** Of which type that is if it has neither: there is a text, `factor.<type>.name`. Default: null. */
  readonly deviceType?: Authenticator['type'] | null
  /** Until when it holds: ISO 8601, or `forever`; null where it does not say. */
  readonly until: string | null
  /** Which change was refused: there is a text for it, `change.<change>`. Default: null. */
  readonly change?: AdminAction | null
  /** How the policy was changed. Default: it was not. */
  readonly policy?: readonly PolicyLine[]
  /** Why it was refused: there is a text for it, `refusal.<refusal>`. Null where there is none. */
  readonly refusal: string | null
  /** Its own page is `events/<id>`. Default: it has none. */
  readonly id?: string
  /** The name of that user. Default: null. */
  readonly userName?: string | null
  /** The name of who did it. Default: null. */
  readonly actorName?: string | null
  /** How many wrong codes of the same login came before it, which are not listed. Default: 0. */
  readonly wrongCodesBefore?: number
}

/** A trusted browser as the wire has it. Nothing of its cookie's secret. */
export interface ShownBrowser {
  readonly id: string
  /** Such as `Firefox (Windows)`. Null: unknown. */
  readonly name: string | null
  /** ISO 8601 */
  readonly createdAt: string
  /** ISO 8601 */
  readonly expiresAt: string
  /** The one that asks. */
  readonly current: boolean
}

/** What each page shows. */
export type PageData = {
  challenge: {
    readonly problem: PageProblem | null
    /** What has just been done. Default: null. */
    readonly notice?: Notice | null
    /** Backup codes are accepted. */
    readonly backupCode: boolean
    /** An admin has made a code for one login; it goes where backup codes go. Default: false. */
    readonly oneTimeCode?: boolean
    /** There is an authenticator whose code can be typed. Default: true. */
    readonly app?: boolean
    /** A security key or passkey can answer. Default: false. */
    readonly keys?: boolean
    /** What the codes come from. Default: `app`. */
    readonly source?: CodeSource
    /** Two consecutive codes may bring a device back into step. Default: false. */
    readonly resync?: boolean
    /** The form that the problem belongs to: null, that of the code. Default: null. */
    readonly action?: 'resync' | null
    /** A second code that was typed and is none, to be mended. Default: empty. */
    readonly typedNext?: string
    /** The problem is about a backup code: that form is open and has the focus. Default: false. */
    readonly typedBackupCode?: boolean
    /** What was typed and is no code, to be mended; empty: nothing. Default: empty. */
    readonly typed?: string
    /** Whose account it is, as the user knows it; null: nobody can tell. Default: null. */
    readonly account?: string | null
    /** From when on a reset by mail that waits can be used, or null. */
    readonly resetPending: Date | null
    /** The link of a reset by mail was opened in this browser, and works now. Default: false. */
    readonly openedLink?: boolean
    /** What the rules of the user's roles accept, in words. Default: null, everything. */
    readonly accepted?: string | null
    /** The user has none of it yet: what they give leads to the set-up of one. Default: false. */
    readonly leadsToSetup?: boolean
    /** The way out for a lost authenticator is offered. */
    readonly lost: boolean
    /** For how many days this browser may be trusted; null: it may not. */
    readonly trust: number | null
    /** As of a problem; null: the problem tells. Default: null. */
    readonly triesLeft?: number | null
    readonly lastLocks?: boolean
    /** The server's time, where the device's clock may be the trouble; else null. */
    readonly clock: Date | null
  }
  setup: {
    readonly problem: PageProblem | null
    /** `show-key`: the live key once more, with nothing to confirm. */
    readonly purpose: 'setup' | 'change-key' | 'add' | 'show-key'
    /** The name that was typed, to be corrected. Default: empty. */
    readonly name?: string
    /** `totp`: codes by the time; `hotp`: by a button's press. Default: `totp`. */
    readonly type?: Authenticator['type']
    /** The types that could be set up instead. Default: none. */
    readonly otherTypes?: readonly Authenticator['type'][]
    readonly account: string
    readonly issuer: string
    /** Base32 in groups of four. */
    readonly key: string
    /** `otpauth:` */
    readonly uri: string
    /** SVG markup: the one thing that is shown as it is. */
    readonly qr: string
    /** As on the challenge page. */
    readonly typed?: string
    /** There is a pending login that can be cancelled. */
    readonly cancel: boolean
    /** The policy asks this user for codes at all. Default: true. */
    readonly asked?: boolean
    /** The server's time, where the code told that the device's clock is off; else null. */
    readonly clock: Date | null
  }
  'setup-key': {
    readonly problem: PageProblem | null
    readonly purpose: 'setup' | 'change-key' | 'add'
    /** The name that was typed, to be corrected. */
    readonly name: string
    /** The types that could be set up instead. */
    readonly otherTypes: readonly Authenticator['type'][]
    /** There is a pending login that can be cancelled. */
    readonly cancel: boolean
    /** As on the page of other set-ups. */
    readonly asked?: boolean
  }
  'backup-codes': {
    readonly problem: PageProblem | null
    /** As people see them. Empty: the second step is on without backup codes. */
    readonly codes: readonly string[]
    readonly madeAt: Date
    /** Whose codes they are, as the user knows the account; null: nobody can tell. Default: null. */
    readonly account?: string | null
    /** What was just done. Default: null. */
    readonly done?: CodesDone | null
    /** The user's other sessions have just ended. */
    readonly sessionsEnded: boolean
    /** As in the settings. */
    readonly asked?: boolean
    readonly pausedUntil?: string | null
    /** Where to go on without codes; with codes the form's answer leads there, so no field can. */
    readonly next: string
  }
  fresh: {
    readonly problem: PageProblem | null
    /** Seconds until the app shows a code that was not used yet; null: it does now. Default: null. */
    readonly nextCodeIn?: number | null
    /** As on the challenge page. */
    readonly source?: CodeSource
    /** There is a device that shows codes. Default: true. */
    readonly app?: boolean
    /** A security key or passkey can answer. Default: false. */
    readonly keys?: boolean
    /** Backup codes are accepted. */
    readonly backupCode: boolean
    /** What counts on the page that asks for the code, in words. Default: null, every code. */
    readonly accepted?: string | null
    /** As on the challenge page. */
    readonly typedBackupCode?: boolean
    readonly typed?: string
    readonly resync?: boolean
    readonly action?: 'resync' | null
    readonly typedNext?: string
    /** How many more wrong codes lock the devices; null: the problem tells. Default: null. */
    readonly triesLeft?: number | null
    /** A reset by mail is offered: no login asks this user for the code. Default: false. */
    readonly lost?: boolean
  }
  settings: {
    readonly problem: PageProblem | null
    /** As on the page for a fresh code. */
    readonly triesLeft?: number | null
    /** As on the page for a fresh code. */
    readonly nextCodeIn?: number | null
    /** As on the challenge page. */
    readonly source?: CodeSource
    /** There is a device that shows codes. Default: true. */
    readonly app?: boolean
    /** A security key or passkey can answer. Default: false. */
    readonly keys?: boolean
    readonly resync?: boolean
    readonly typedNext?: string
    /** As on the challenge page. */
    readonly accepted?: string | null
    readonly enrolled: boolean
    /** The policy asks this user for codes at all. Default: true. */
    readonly asked?: boolean
    readonly method: string | null
    /** The first authenticator is a hardware token. Default: false. */
    readonly hardware?: boolean
    /** ISO 8601 */
    readonly since: string | null
    readonly backupCodesLeft: number
    readonly backupCodesSaved: boolean
    readonly canDisable: boolean
    /** The devices, the one bound first first. Default: none are listed. */
    readonly authenticators?: readonly ShownAuthenticator[]
    /** Browsers that skip the second step. Default: none are listed. */
    readonly trustedBrowsers?: readonly ShownBrowser[]
    /** Ids of the keys that a copy was seen of. Default: none. */
    readonly suspended?: readonly string[]
    /** Ids of the devices that work, but for a lock. Default: all. */
    readonly working?: readonly string[]
    /** One more may be added. Default: false. */
    readonly canAdd?: boolean
    /** A security key has a form of its own, because it is not what is set up first. Default: false. */
    readonly addKey?: boolean
    /** Wrong codes have locked the devices. Default: false. */
    readonly locked?: boolean
    /** How few wrong codes a day lock the user with one more device. Null: enough. Default: null. */
    readonly fewMissesWithOneMore?: number | null
    /** The name that was typed, to be corrected. Default: empty. */
    readonly typedName?: string
    /** Until when an authenticator must be set up, ISO 8601; null: it need not be. */
    readonly setupDeadline: string | null
    /** Until when no code is asked for, ISO 8601 or `forever`; null: not paused. */
    readonly pausedUntil: string | null
    /** Backup codes may be made. */
    readonly backupCodes: boolean
    /** Backup codes are accepted. Default: false. */
    readonly backupCode?: boolean
    /** By the name of an action, what it takes where that differs. Default: none. */
    readonly offered?: Readonly<Record<string, OfferedProofs>>
    /** As on the challenge page. */
    readonly typedBackupCode?: boolean
    readonly typed?: string
    /** An admin has seen the backup codes, and one was used. Default: false. */
    readonly codesSeen?: boolean
    /**
     * Where the key is that the unused backup codes were made under: `older`, they end when it leaves
     * the ring; `gone`, they no longer work. Default: null.
     */
    readonly codesKey?: KeyStatus | null
    /** The live key may be shown again. */
    readonly showKey: boolean
    /** The action whose form the problem belongs to. */
    readonly action: SettingsAction | null
    /** Others are told by mail what happens; this user has no address. */
    readonly noMail: boolean
    /** As on the challenge page. */
    readonly resetPending: Date | null
    /** What has just been done. */
    readonly notice: Notice | null
    /** What last happened, newest first. */
    readonly events: readonly PageEvent[]
    /** Where the visitor was going. */
    readonly next: string
  }
  lost: {
    readonly problem: PageProblem | null
    /** An address was just typed. Whether it is the right one is not known here. */
    readonly sent: boolean
    /** So soon after the one before that no mail goes out, be the address right or wrong. Default: no. */
    readonly heldBack?: boolean
    /** When the next mail can go; null: now. Default: null. */
    readonly nextAt?: Date | null
    /** Hours until the link of a reset can be used; 0: at once. Default: 0. */
    readonly waitHours?: number
    /** The page that led here. Default: the challenge. */
    readonly back?: string
  }
  'lost-link': {
    readonly problem: PageProblem | null
    /** Who asked for the reset. */
    readonly facts: readonly Fact[]
    /** This browser has a pending login of that user, to whom the rules leave a reset by mail. */
    readonly canReset: boolean
    /** It has one, but the rules leave that user no reset by mail. Default: false. */
    readonly closed?: boolean
    /** From when on the link can be used; null: now. */
    readonly availableAt: Date | null
    /** Where the button posts; its `/cancel` ends the reset. */
    readonly action: string
    /** The visitor is signed in, by both steps. Default: false. */
    readonly isIn?: boolean
  }
  'lost-cancelled': {
    readonly problem: PageProblem | null
    /** As above. */
    readonly isIn?: boolean
  }
  'admin-overview': OverviewPage
  'admin-users': {
    readonly problem: PageProblem | null
    /** What was typed. */
    readonly search: string
    readonly state: string
    readonly states: readonly string[]
    /** What else the list can be narrowed to. Default: nothing. */
    readonly groups?: readonly string[]
    /** How many users each of them has; `all`: all users. Default: null. */
    readonly counts?: UserCounts | null
    /** When they were counted, ISO 8601. Default: null. */
    readonly countedAt?: string | null
    /** Names can be searched for; else whole ids. */
    readonly searchable: boolean
    readonly users: readonly ListedUser[]
    /** How many records are lost that belong here: nobody can tell whose they are. */
    readonly lost: number
    /** A part of the list is lost, and users are missing. Default: false. */
    readonly incomplete?: boolean
    /** How many users are missing whose id the app does not tell. Default: 0. */
    readonly withoutId?: number
    /** The next page, or null. */
    readonly more: string | null
    /** What may be done to several users at once. Default: nothing. */
    readonly bulkActions?: readonly UserAction[]
    /** What has just been done to several users: to how many, and who was refused. Default: null. */
    readonly report?: {
      readonly action: AdminAction
      /** ISO 8601 */
      readonly at: string
      /** The admin's browser did not wait for the end. */
      readonly left: boolean
      readonly done: number
      readonly refused: number
      /** Some of those; `why` is the key of a text. */
      readonly some: readonly { readonly id: string; readonly why: string }[]
    } | null
    /** Who was chosen before a fresh code was asked for, and for what. Default: nobody. */
    readonly picked?: { readonly action: AdminAction; readonly ids: readonly string[] } | null
    /** A code must be given before anything can be changed. Default: no. */
    readonly stale?: boolean
    /** How many of the host's users a filter was asked of so far, where there are more. Default: 0. */
    readonly looked?: number
    /** The whole list as a file. Default: not offered. */
    readonly downloads?: readonly { readonly format: string; readonly path: string }[]
    /** The page before, where it is known. Default: null. */
    readonly previous?: string | null
    /** The first page, where this is another. Default: null. */
    readonly first?: string | null
    /** The column by which the list is sorted, in rising order; null: by none of them. Default: null. */
    readonly sorted?: 'since' | 'until' | null
  }
  'admin-user': {
    readonly problem: PageProblem | null
    /** A reason must be given. Default: false. */
    readonly demandReason?: boolean
    /** The form that the problem belongs to. */
    readonly form: AdminForm | null
    readonly typed: {
      readonly reason: string
      readonly days: string
      /** Fields of a hardware token, but never its seed. Default: none. */
      readonly token?: Readonly<Record<string, string>>
    }
    readonly user: ListedUser
    /** Others are told by mail what happens; this user has no address. */
    readonly noMail: boolean
    /** The admin is looking at their own page. */
    readonly self: boolean
    /** A code must be given before anything can be changed. */
    readonly stale: boolean
    /** What this admin may do to this user. */
    readonly forms: readonly AdminForm[]
    /** The devices, the one bound first first. Default: none are listed. */
    readonly authenticators?: readonly AdminAuthenticator[]
    /** Ids of the keys that a copy was seen of. Default: none. */
    readonly suspended?: readonly string[]
    /** How many browsers the user trusts. Default: 0. */
    readonly trustedBrowsers?: number
    /**
     * How few wrong codes a day lock the user: as it is, and with one more token that counts its codes.
     * Null: enough. Default: both.
     */
    readonly fewMisses?: { readonly now: number | null; readonly withOneMore: number | null }
    /** Id of the one that was to be removed, where that went wrong. Default: null. */
    readonly removing?: string | null
    /** The next login leads to the set-up without asking for a code. Default: false. */
    readonly noCodeNeeded?: boolean
    /** What has just been done. */
    readonly notice: AdminAction | null
    /** It is a hardware token with a short seed. Default: false. */
    readonly weak?: boolean
    /**
     * The page that shows codes once was loaded again, too late: when they were made, ISO 8601. Nothing
     * was done. Default: null.
     */
    readonly codesMade?: { readonly kind: CodesKind; readonly at: string } | null
    /** Newest first. */
    readonly events: readonly PageEvent[]
    /** This page's own path. */
    readonly back: string
  }
  'admin-action': {
    readonly problem: PageProblem | null
    /** A reason must be given. Default: false. */
    readonly demandReason?: boolean
    readonly user: ListedUser
    /** The form of the action, and others of the same action. */
    readonly forms: readonly AdminForm[]
    /** What the action ends, in words. */
    readonly effects: readonly Effect[]
    readonly noMail: boolean
    readonly stale: boolean
    /** Nothing was typed yet. */
    readonly form: null
    /** As on the user's page. Default: none. */
    readonly authenticators?: readonly AdminAuthenticator[]
    readonly fewMisses?: { readonly now: number | null; readonly withOneMore: number | null }
    /** The user's page. */
    readonly back: string
  }
  'admin-bulk': {
    readonly problem: PageProblem | null
    /** A reason must be given. Default: false. */
    readonly demandReason?: boolean
    readonly action: UserAction
    /** The host's ids of all whom it is about. */
    readonly ids: readonly string[]
    /** The first of them. */
    readonly named: readonly NamedUser[]
    readonly typed: { readonly reason: string; readonly days: string }
    /** The page of users. */
    readonly back: string
  }
  'admin-codes': {
    readonly problem: PageProblem | null
    readonly kind: CodesKind
    /** As people see them. */
    readonly codes: readonly string[]
    readonly madeAt: Date
    /** ISO 8601; null: as long as they are not replaced. */
    readonly until: string | null
    /** Whose they are: the host's id. */
    readonly id: string
    readonly name: string | null
    readonly email: string | null
    /** The user's page. */
    readonly back: string
  }
  'admin-policy': {
    readonly problem: PageProblem | null
    /** A reason must be given. Default: false. */
    readonly demandReason?: boolean
    readonly policy: ShownPolicy
    /** What the form's fields hold, by their names. */
    readonly typed: Readonly<Record<string, string>>
    /** The fields that are malformed, by their names. Default: none. */
    readonly wrong?: readonly string[]
    readonly modes: readonly PolicyMode[]
    /** The methods that a rule may accept. Default: none is offered. */
    readonly methods?: readonly FactorMethod[]
    readonly roles: readonly string[]
    readonly stale: boolean
    /** It has just been changed. */
    readonly notice: boolean
    /** This page's own path. */
    readonly back: string
  }
  'admin-policy-preview': {
    readonly problem: null
    /** Somebody has changed the policy since the preview that was confirmed. */
    readonly again: boolean
    readonly changes: readonly PolicyLine[]
    /** Null: the users could not be counted. */
    readonly count: PolicyCount | null
    /** The fields of the form that makes the change. */
    readonly fields: readonly (readonly [name: string, value: string])[]
    /** The page of the policy. */
    readonly back: string
  }
  'admin-events': {
    readonly problem: PageProblem | null
    /** The host's id of the user whose events these are; empty: everybody's. */
    readonly user: string
    /** Newest first. */
    readonly events: readonly PageEvent[]
    /** The page of older ones, or null. */
    readonly more: string | null
    /** What else was chosen, as it was typed: an id, a type, and days or moments as ISO 8601. Default: nothing. */
    readonly actor?: string
    readonly type?: string
    readonly from?: string
    readonly to?: string
    /** The types there are: each has a text, `event.<type>`. Default: none. */
    readonly types?: readonly string[]
    /** How far back the events were looked through, where that ended the page. ISO 8601. Default: null. */
    readonly reached?: string | null
    /** The page before, where it is known. Default: null. */
    readonly previous?: string | null
    /** The first page, where this is another. Default: null. */
    readonly first?: string | null
    /** The whole list as a file. Default: not offered. */
    readonly downloads?: readonly { readonly format: string; readonly path: string }[]
  }
  'admin-event': {
    readonly event: PageEvent
    readonly id: string
    readonly method: string | null
    readonly ip: string | null
    readonly userAgent: string | null
  }
  problem: {
    readonly problem: PageProblem
    /** Where to go on; null: to the first step. */
    readonly next: string | null
    /** What that is, for the button: `on` by default, or `sign-in` where `next` is null. */
    readonly lead?: Lead['lead']
    /** The page has the admins' navigation. Default: false. */
    readonly navigation?: boolean
  }
}

/** Whom a change is about. */
export type NamedUser = Pick<ListedUser, 'id' | 'name' | 'email' | 'asked'>

/** Makes a page: an HTML document. */
export type Render = <P extends PageName>(
  page: P,
  data: PageData[P],
  frame: PageFrame,
) => Promise<string> | string
