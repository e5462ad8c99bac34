import { authenticatorsAsked, isAccepted } from '../../domain/accepted-methods.js'
import {
  canResync,
  codeLengthsOf,
  codeSourceOf,
  hasCodes,
  isEnrolled,
} from '../../domain/authenticators.js'
import { countedMethods } from '../../domain/counted-methods.js'
import type { UserContext } from '../../domain/standing.js'
import { backupCodes } from '../../factors/backup-codes/backup-codes.js'
import { backupCodesLeft } from '../../factors/backup-codes/kept.js'
import type { AnySpareFactor } from '../../factors/factors.js'
import { oneTimeCodes } from '../../factors/one-time-codes/one-time-codes.js'
import { hasOpenOneTimeCode } from '../../factors/one-time-codes/page.js'
import type { ProblemText } from '../../text/problem.js'
import type { Exchange } from '../request/handler.js'
import type { Site } from '../request/site.js'
import type { PendingVisitor, SignedInVisitor } from '../request/visitor.js'
import { proofRulesOf } from './proof-rules.js'

/** Where a code was given, and by whom. */
export type Asked = Pick<Exchange<PendingVisitor | SignedInVisitor>, 'site' | 'visitor'>

/** The codes of 24 letters and digits that could be right. */
interface SpareCodes {
  readonly backup: boolean
  /** A one-time code, which an admin has given to the user. */
  readonly given: boolean
}

const NO_SPARE_CODES: SpareCodes = { backup: false, given: false }

/** The texts about the shape of a code, by the spare codes that could be right besides. */
const SHAPES_OF_APP = {
  none: 'factor.totp.malformed',
  backup: 'factor.totp.malformed-backup',
  given: 'factor.totp.malformed-given',
  either: 'factor.totp.malformed-either',
} as const
/** Texts about an app do not fit a key fob. */
const SHAPES_OF_DEVICE = {
  none: 'factor.hotp.malformed',
  backup: 'factor.hotp.malformed-backup',
  given: 'factor.hotp.malformed-given',
  either: 'factor.hotp.malformed-either',
} as const

/** Whether a backup code could be right. */
export function acceptsBackupCodes(
  site: Pick<Site, 'keyIds' | 'mountedRules'>,
  visitor: PendingVisitor | SignedInVisitor,
): boolean {
  const { record, policy } = visitor
  const isSwitchedOn = policy.backupCodes && counts(site, visitor, backupCodes)
  return isSwitchedOn && backupCodesLeft(record.backupCodes, site.keyIds) > 0
}

/** Whether the rules let a spare factor prove anything here. */
function counts(
  site: Pick<Site, 'mountedRules'>,
  visitor: PendingVisitor | SignedInVisitor,
  { method, opens }: AnySpareFactor,
): boolean {
  return isAccepted(countedMethods(visitor.record, proofRulesOf(site, visitor), opens), method)
}

/** Whether a one-time code could be right: one is open, and this is a pending login. */
export function acceptsOneTimeCodes({ site, visitor }: Asked): boolean {
  return (
    visitor.kind === 'pending' &&
    counts(site, visitor, oneTimeCodes) &&
    hasOpenOneTimeCode(visitor.record.oneTimeCodes, site.keyIds, site.system.now())
  )
}

type Devices = ReturnType<typeof authenticatorsAsked>

/** The text that describes the shape of a code that this user could give. */
export function malformedText({ site, visitor }: Asked): ProblemText {
  const backup = acceptsBackupCodes(site, visitor)
  const given = acceptsOneTimeCodes({ site, visitor })
  const asked = authenticatorsAsked(visitor)
  if (given && !hasCodes(asked)) return { key: 'factor.one-time-code.malformed' }
  if (isEnrolled(asked) && !hasCodes(asked)) {
    return { key: backup ? 'factor.webauthn.only-backup' : 'factor.webauthn.only' }
  }
  return shapeText(asked, { backup, given })
}

/** The same for one of two consecutive codes, which only a device gives. */
export function malformedPairText({ visitor }: Pick<Asked, 'visitor'>): ProblemText {
  return shapeText(authenticatorsAsked(visitor), NO_SPARE_CODES)
}

function shapeText(record: Devices, { backup, given }: SpareCodes): ProblemText {
  const lengths = codeLengthsOf(record)
  const digits = lengths.length === 0 ? [6] : lengths
  const keys = codeSourceOf(record) === 'app' ? SHAPES_OF_APP : SHAPES_OF_DEVICE
  if (backup && given) return { key: keys.either, digits }
  if (given) return { key: keys.given, digits }
  return { key: backup ? keys.backup : keys.none, digits }
}

/** The wait and the lock block the authenticators alone: other codes still work. */
export function blockedText(asked: Asked) {
  const { site, visitor } = asked
  const isOfApp = codeSourceOf(authenticatorsAsked(visitor)) === 'app'
  if (acceptsBackupCodes(site, visitor)) {
    return isOfApp ? 'factor.totp.blocked-backup' : 'factor.hotp.blocked-backup'
  }
  if (acceptsOneTimeCodes(asked)) {
    return isOfApp ? 'factor.totp.blocked-given' : 'factor.hotp.blocked-given'
  }
  return isOfApp ? 'factor.totp.blocked' : 'factor.hotp.blocked'
}

/** The text for a wrong code of an authenticator. Null: the text of the problem's code, about an app. */
export function wrongText(userContext: UserContext) {
  const record = authenticatorsAsked(userContext)
  const source = codeSourceOf(record)
  if (source !== 'app') return source === 'device' ? 'factor.hotp.wrong' : 'factor.several.wrong'
  // To set the clock would not help: the codes are out of step because it was set.
  return canResync(record) ? 'factor.totp.out-of-step' : null
}

/**
 * The text for a wrong code of 24 letters and digits. The advice to wait for the next code and to check
 * the phone's clock does not fit it. Also about a one-time code that is used, over or dead: somebody
 * may type it.
 */
export function wrongSpareText({ site, visitor }: Asked) {
  const backup = acceptsBackupCodes(site, visitor)
  const isGiven = visitor.kind === 'pending' && visitor.record.oneTimeCodes.length > 0
  const given = isGiven && counts(site, visitor, oneTimeCodes)
  if (given) return backup ? 'factor.one-time-code.wrong-either' : 'factor.one-time-code.wrong'
  return backup ? 'factor.backup-code.wrong' : 'factor.backup-code.none'
}
