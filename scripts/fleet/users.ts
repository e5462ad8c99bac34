import { createHash, randomBytes } from 'node:crypto'
import { scryptPasswords } from '../../example-app/passwords.js'
import type { UserStore } from '../../example-app/users.js'
import { blankRecord, type SecondStepRecord } from '../../lib/domain/record.js'
import { makeBackupCodes } from '../../lib/factors/backup-codes/make.js'
import { codeAt } from '../../lib/factors/otp/code-at.js'
import type { OtpParameters } from '../../lib/factors/otp/parameters.js'
import type { TotpAuthenticator } from '../../lib/factors/totp/kept.js'
import type { RecordStore } from '../../lib/index.js'
import { keyRing } from '../../lib/keys/key-ring.js'

const PARAMETERS: OtpParameters = { algorithm: 'sha1', digits: 6, period: 30 }
export const PASSWORD = 'fleet-password'

/** A user of the fleet, with an app and ten backup codes. */
export interface FleetUser {
  readonly id: string
  readonly email: string
  readonly secret: Uint8Array
  readonly backupCodes: readonly string[]
}

/** Where users and their records are kept. */
export interface Places {
  readonly users: UserStore
  readonly store: RecordStore
  /** How many users may be written at once. */
  readonly atOnce: number
}

/** The time step that a moment lies in. */
export function stepAt(now: number): number {
  return Math.floor(now / 1000 / PARAMETERS.period)
}

export function codeOf({ secret }: FleetUser, step: number): string {
  return codeAt(step, secret, PARAMETERS)
}

/** No code of the user's, as far from this step as any clock goes. */
export function wrongCodeOf(user: FleetUser, step: number, nth: number): string {
  const near = Array.from({ length: 21 }, (_, index) => codeOf(user, step - 10 + index))
  for (let guess = nth; ; guess += 1) {
    const code = String(guess % 1_000_000).padStart(6, '0')
    if (!near.includes(code)) return code
  }
}

/** Writes users and records as if all had set up their second step long ago: through the stores, not over HTTP. */
export async function seedUsers(
  count: number,
  { users, store, atOnce }: Places,
  key: string,
): Promise<readonly FleetUser[]> {
  const passwordHash = await scryptPasswords(1).hash(PASSWORD)
  const ring = keyRing([key])
  const seedOne = async (nth: number): Promise<FleetUser> => {
    const id = `fleet-${nth}`
    const user = { id, email: `${id}@example.test`, name: `Fleet ${nth}`, roles: ['user'] }
    const secret = createHash('sha1').update(`${key}:${id}`).digest()
    const { record, backupCodes } = await recordOf(id, secret, ring)
    if (!(await users.add({ user, passwordHash }))) throw new Error(`${id} is there already`)
    if (!(await store.write(record, 0))) throw new Error(`${id} has a record already`)
    return { id, email: user.email, secret, backupCodes }
  }
  const seeded: FleetUser[] = []
  while (seeded.length < count) {
    const length = Math.min(atOnce, count - seeded.length)
    const first = seeded.length
    seeded.push(...(await Promise.all(Array.from({ length }, (_, nth) => seedOne(first + nth)))))
  }
  return seeded
}

async function recordOf(
  userId: string,
  secret: Uint8Array,
  { sealer, digester }: ReturnType<typeof keyRing>,
): Promise<{ record: SecondStepRecord; backupCodes: readonly string[] }> {
  const now = Date.now()
  const { set, codes } = await makeBackupCodes(randomBytes, now, {
    keyIds: digester.keyIds,
    digests: (code, context) => digester.digests(code, { ...context, userId }),
  })
  const authenticator: TotpAuthenticator = {
    ...PARAMETERS,
    id: 'app',
    type: 'totp',
    name: null,
    serial: null,
    since: now,
    lastUsedAt: null,
    lastStep: -1,
    offset: 0,
    secret: await sealer.seal(secret, { purpose: 'authenticator', userId }),
  }
  const record = {
    ...blankRecord(userId),
    ...{ version: 1, epoch: 1, writeId: randomBytes(12).toString('base64url') },
    authenticators: [authenticator],
    backupCodes: { ...set, saved: true },
  }
  return { record, backupCodes: codes }
}
