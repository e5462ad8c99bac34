import { withCodes } from '../domain/authenticators.js'
import type { SecondStepRecord } from '../domain/record.js'
import { currentSetup } from '../domain/setup.js'
import { hasSecret } from '../factors/factors.js'
import { keyRing } from '../keys/key-ring.js'
import { isInRealm } from '../options/identity.js'
import type { Sealer } from '../ports/sealer.js'
import { system } from '../ports/system.js'
import { MovedKeys } from '../service/moved-keys.js'
import type { Config } from './config.js'
import { type Reading, readEveryRecord } from './every-record.js'
import { KeyUse } from './key-use.js'
import { openPatiently } from './patience.js'
import type { Progress } from './progress.js'

/** The findings of a pass over all records. */
export interface Findings extends Reading {
  /** Null where the config has no keys. */
  readonly use: KeyUse | null
  /** Null where the config has no option `webauthn`. */
  readonly moved: MovedKeys | null
  /** As the config has it. */
  readonly realm: string | undefined
}

/**
 * Reads every record and, where the keys are given, opens its secrets and notes what needs which key.
 *
 * @throws anything, where the store does not answer
 */
export async function check(
  { store, keys, realm, rpId }: Config,
  progress: Progress,
): Promise<Findings> {
  const ring = keys === null ? null : keyRing(keys, system)
  const use = ring === null ? null : new KeyUse(ring.digester.keyIds)
  const moved = rpId === null ? null : new MovedKeys(rpId)
  // As in production: a mere check must not mark an emptied Redis as trustworthy.
  await openPatiently(async () => store.open?.({ production: true }))
  const isOurs = (userId: string) => isInRealm(userId, realm)
  const reading = await readEveryRecord(store, progress, isOurs, 'is broken', async (record) => {
    moved?.add(record)
    if (ring === null) return
    const now = system.now()
    const opened = await openSecrets(record, ring.sealer, now)
    // What is known counts also where another secret of the record cannot be opened.
    const sealedUnder = opened.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
    use?.add(record, sealedUnder, now)
    for (const one of opened) if (one.status === 'rejected') throw one.reason
  })
  const unlisted = toRepair('In no list, and not read', (await store.unlisted?.()) ?? [])
  const wrong = toRepair(
    'Left out by a list, or in a wrong place of it',
    (await store.misplaced?.()) ?? [],
  )
  const broken = [...reading.broken, ...unlisted, ...wrong]
  return { ...reading, broken, use, moved, realm }
}

function toRepair(what: string, keys: readonly string[]): readonly string[] {
  const [one] = keys
  if (one === undefined) return []
  const which = keys.length === 1 ? `the record ${one}` : `${keys.length} records, such as ${one}`
  return [`${what}: ${which}. Run "repair".`]
}

/** @returns for each secret the id of the key that it is sealed under */
function openSecrets(
  record: SecondStepRecord,
  sealer: Sealer,
  now: number,
): Promise<readonly PromiseSettledResult<string>[]> {
  const { userId, authenticators } = record
  // Nobody can confirm a set-up whose time is over, so nobody needs its key.
  const setup = currentSetup(record, now)
  const sealed = [
    ...withCodes({ authenticators }).map(
      ({ secret }) => ({ secret, purpose: 'authenticator' }) as const,
    ),
    ...(setup !== null && hasSecret(setup)
      ? [{ secret: setup.secret, purpose: 'setup' } as const]
      : []),
  ]
  return Promise.allSettled(
    sealed.map(async ({ secret, purpose }) => {
      const { keyId } = await sealer.open(secret, { purpose, userId })
      return keyId
    }),
  )
}
