import type { Authenticator } from '../factors/factors.js'
import { isNameTaken } from './authenticator-name.js'
import type { Decision } from './decision.js'
import { namedDetail } from './event.js'
import { lockEventsOfChange } from './lock-event.js'
import { withAuthenticators } from './miss-budget.js'
import type { SecondStepRecord } from './record.js'
import { disableByUser, namingLast } from './reset.js'
import { raiseEpoch } from './stamp.js'

/** The authenticator of this id, or null. */
export function authenticatorById(
  { authenticators }: Pick<SecondStepRecord, 'authenticators'>,
  id: string,
): Authenticator | null {
  return authenticators.find((one) => one.id === id) ?? null
}

/** Whether it is the only one: without it, the user has no second step. */
export function isLast(
  { authenticators }: Pick<SecondStepRecord, 'authenticators'>,
  id: string,
): boolean {
  return authenticators.length === 1 && authenticators[0]?.id === id
}

/**
 * Whether its key may be shown again, for a second device, or why not. The seed of a hardware token is shown to
 * nobody, and a security key shows its private key to nobody. Two devices that count with one key have a counter
 * each, and soon one of them is out of step.
 */
export function keyShown({
  type,
  serial,
}: Pick<Authenticator, 'type' | 'serial'>): 'yes' | 'token' | 'counter' | 'key' {
  if (serial !== null) return 'token'
  if (type === 'webauthn') return 'key'
  return type === 'hotp' ? 'counter' : 'yes'
}

/**
 * Removes an authenticator, after a proof. Its codes are of no use any more, and every other session ends.
 * Without the last one the second step is off.
 */
export function removeByUser(
  record: SecondStepRecord,
  id: string,
  moment: { readonly window: number; readonly now: number },
): Decision<undefined> {
  const removed = authenticatorById(record, id)
  if (removed === null) return { record, answer: undefined, events: [] }
  return isLast(record, id)
    ? namingLast(disableByUser(record), removed)
    : removeOne(record, removed, moment)
}

/** Removes one of several. */
export function removeOne(
  record: SecondStepRecord,
  removed: Authenticator,
  moment: { readonly window: number; readonly now: number },
): Decision<undefined> {
  const { type: method } = removed
  const left = record.authenticators.filter((one) => one !== removed)
  const after = withAuthenticators(record, left, moment)
  return {
    record: raiseEpoch(after),
    answer: undefined,
    events: [
      { type: 'authenticator-removed', method, detail: namedDetail(removed) },
      ...lockEventsOfChange(method, { before: record, after }, moment),
    ],
  }
}

/** Gives an authenticator another name. Nothing depends on a name, so no session ends. */
export function renameByUser(
  record: SecondStepRecord,
  id: string,
  name: string,
): Decision<'renamed' | 'not-found' | 'name-taken'> {
  const present = authenticatorById(record, id)
  if (present === null) return { record, answer: 'not-found', events: [] }
  if (isNameTaken(record, name, id)) return { record, answer: 'name-taken', events: [] }
  if (present.name === name) return { record, answer: 'renamed', events: [] }
  const renamed = { ...present, name }
  const authenticators = record.authenticators.map((one) => (one === present ? renamed : one))
  const detail = { ...namedDetail(renamed), before: present.name }
  return {
    record: { ...record, authenticators },
    answer: 'renamed',
    events: [{ type: 'authenticator-renamed', method: present.type, detail }],
  }
}
