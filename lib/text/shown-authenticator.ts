import type { Authenticator } from '../factors/factors.js'

/** An authenticator as the wire has it. Nothing of its key. */
export interface ShownAuthenticator {
  readonly id: string
  readonly type: string
  /** The user's name for it, or null. */
  readonly name: string | null
  /** ISO 8601 */
  readonly since: string
  /** When it last gave an accepted code, ISO 8601. Null: never. */
  readonly lastUsedAt: string | null
  /** Of a hardware token; else null. */
  readonly serial: string | null
  /** Whether its key is kept in a cloud too. Null: nobody can tell. */
  readonly synced: boolean | null
}

interface HasAuthenticators {
  readonly authenticators: readonly Authenticator[]
}

export function shownAuthenticators({
  authenticators,
}: HasAuthenticators): readonly ShownAuthenticator[] {
  return authenticators.map((one) => ({
    id: one.id,
    type: one.type,
    name: one.name,
    since: new Date(one.since).toISOString(),
    lastUsedAt: one.lastUsedAt === null ? null : new Date(one.lastUsedAt).toISOString(),
    serial: one.serial,
    synced: one.type === 'webauthn' ? one.backedUp : null,
  }))
}

/** Ids of the keys that a copy was seen of. */
export function suspendedIds({ authenticators }: HasAuthenticators): readonly string[] {
  const isSuspended = (one: Authenticator) => one.type === 'webauthn' && one.suspendedAt !== null
  return authenticators.filter(isSuspended).map(({ id }) => id)
}
