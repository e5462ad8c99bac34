import { randomBytes } from 'node:crypto'
import type { Actor } from '../../lib/domain/event.js'
import type { AdminChange } from '../../lib/service/admin-changes.js'
import { wire } from '../../lib/wiring.js'
import type { Host, HostOptions } from './host.js'
import { enrolledVisit, type Visit } from './visits.js'

export const ADMIN: Actor = { kind: 'admin', id: 'root' }

/** A change of an admin's to a user without roles. */
export function changeOf(userId = 'ann', reason: string | null = null): AdminChange {
  return {
    userId,
    subject: { roles: [], createdAt: null, privileged: false },
    requestInfo: { ip: '192.0.2.99', userAgent: 'admin', actor: ADMIN, reason },
  }
}

/** A visit, and an admin at another server of the same app. */
export interface AdministeredVisit extends Visit {
  readonly administration: ReturnType<typeof administrationAt>
}

/** Ann has set up a second step; nobody is signed in. */
export async function administeredVisit(given: HostOptions = {}): Promise<AdministeredVisit> {
  const keys = [randomBytes(32).toString('base64')]
  const visit = await enrolledVisit({ ...given, options: { keys, ...given.options } })
  return { ...visit, administration: administrationAt(visit.host, keys) }
}

/** What an admin may do at this host. */
export function administrationAt({ store, system }: Host, keys: readonly string[]) {
  return wire({ issuer: 'Acme', origin: 'http://127.0.0.1', keys, store, system }).site
    .administration
}

/** Makes a one-time code for the user. */
export async function oneTimeCodeFor(
  { administration }: Pick<AdministeredVisit, 'administration'>,
  userId = 'ann',
): Promise<string> {
  const made = await administration.makeOneTimeCode(changeOf(userId))
  if (made.kind !== 'done') throw new Error(`no one-time code: ${made.kind}`)
  return made.result.code
}
