import { backupCodesFor, isAccepted } from '../../domain/accepted-methods.js'
import { askedKeys, hasCodes } from '../../domain/authenticators.js'
import { countedMethods } from '../../domain/counted-methods.js'
import { isBoundByRoute } from '../../domain/route-rules.js'
import {
  TOUCHES_ALL,
  TOUCHES_BACKUP_CODES,
  type Touches,
  touchesBound,
  touchesRemoved,
  touchesShown,
} from '../../domain/touches.js'
import type { Authenticator } from '../../factors/factors.js'
import type { OfferedProofs } from '../../text/pages.js'
import { acceptsBackupCodes } from '../login/code-texts.js'
import { proofRulesOf } from '../login/proof-rules.js'
import type { Site } from '../request/site.js'
import type { SignedInVisitor } from '../request/visitor.js'

/**
 * What each action of the settings may be confirmed with, where a route of the app says what may touch its own
 * devices. An action that nothing can confirm is left out: its answer says why.
 */
export function offeredProofs(
  site: Site,
  visitor: SignedInVisitor,
  types: readonly Authenticator['type'][],
): Readonly<Record<string, OfferedProofs>> {
  const rules = proofRulesOf(site, visitor)
  const { record } = visitor
  if (!isBoundByRoute(record, rules.routes)) return {}
  const offered = touchesOfActions(visitor, (present) => site.setup.typeLike(types, present)).map(
    ([action, touches]) => {
      const counted = countedMethods(record, { ...rules, touches })
      const devices = {
        authenticators: record.authenticators.filter(({ type }) => isAccepted(counted, type)),
      }
      const proofs = {
        app: hasCodes(devices),
        keys: askedKeys(devices, site.webauthn).length > 0,
        backupCode: acceptsBackupCodes(site, visitor) && isAccepted(counted, 'backup-code'),
      }
      return [action, proofs] as const
    },
  )
  return Object.fromEntries(
    offered.filter(([, { app, keys, backupCode }]) => app || keys || backupCode),
  )
}

function touchesOfActions(
  { record: { authenticators }, policy, subject }: SignedInVisitor,
  typeLike: (present: Authenticator['type'] | null) => Authenticator['type'] | null,
): readonly (readonly [string, Touches])[] {
  const [first] = authenticators
  const withCodes = backupCodesFor(policy, subject)
  const ofOne = (name: string, { id, type }: Authenticator) =>
    [
      [`change-key${name}`, touchesBound(typeLike(type), { replaced: id, withCodes })],
      [`show-key${name}`, touchesShown(id)],
    ] as const
  return [
    ['backup-codes', TOUCHES_BACKUP_CODES],
    ['authenticators', touchesBound(typeLike(null), { replaced: null, withCodes })],
    ['reset', TOUCHES_ALL],
    ['disable', TOUCHES_ALL],
    ...(first === undefined ? [] : ofOne('', first)),
    ...authenticators.flatMap((one) => [
      ...ofOne(`:${one.id}`, one),
      [`remove:${one.id}`, touchesRemoved(one.id)] as const,
    ]),
  ]
}
