import { randomBytes } from 'node:crypto'
import { answerBackupCode } from '../../lib/factors/backup-codes/answer.js'
import { makeBackupCodes } from '../../lib/factors/backup-codes/make.js'
import type { Keys, Moment } from '../../lib/factors/factor.js'
import { answerTotp } from '../../lib/factors/totp/answer.js'
import { keyRing } from '../../lib/keys/key-ring.js'
import { codeOfStep, STEP } from '../apps/totp.js'
import { type Spread, spreadOf } from '../measure/statistics.js'
import type { Figure } from '../report/figure.js'
import type { Bench } from './scenario.js'

const NOW = 60_000_000 * STEP
const USER = 'user-1'
/** Milliseconds. */
const WARM_UP = 1000

/** What judging and making codes takes, without HTTP and stores. */
export async function codes(bench: Bench): Promise<readonly Figure[]> {
  const keys = keysOf(USER)
  const moment: Moment = { now: NOW, window: 1, keys }
  const made = await makeBackupCodes(randomBytes, NOW, keys)
  const backup = (made.codes[9] ?? '').replaceAll('-', '')
  const secret = randomBytes(20)
  const totp = await authenticator(secret, keys)
  const code = codeOfStep(secret, NOW / STEP)
  const rounds = bench.quick ? 1 : 21
  const times = bench.quick ? 10 : 1000
  const took = (one: () => Promise<unknown>) => microseconds(one, rounds, times)
  return [
    {
      what: 'judging a backup code of ten',
      unit: 'µs',
      value: await took(async () => right(await answerBackupCode(made.set, backup, moment))),
      goal: { atMost: 7 },
    },
    {
      what: 'making ten backup codes',
      unit: 'µs',
      value: await took(() => makeBackupCodes(randomBytes, NOW, keys)),
      goal: { atMost: 180 },
    },
    {
      what: 'judging a TOTP code with its sealed key',
      unit: 'µs',
      value: await took(async () => right(await answerTotp(totp, code, moment))),
      goal: { atMost: 63 },
    },
  ]
}

function keysOf(userId: string): Keys {
  const { sealer, digester } = keyRing([randomBytes(32).toString('base64')])
  return {
    keyIds: digester.keyIds,
    seal: (secret, purpose) => sealer.seal(secret, { purpose, userId }),
    open: (sealed, purpose) => sealer.open(sealed, { purpose, userId }),
    digests: (code, purpose) => digester.digests(code, { ...purpose, userId }),
  }
}

async function authenticator(secret: Uint8Array, keys: Keys) {
  const place = { id: 'authenticator-1', name: null, since: NOW, lastUsedAt: null, serial: null }
  const sealed = await keys.seal(secret, 'authenticator')
  const parameters = { algorithm: 'sha1', digits: 6, period: 30 } as const
  return { ...place, ...parameters, type: 'totp', secret: sealed, lastStep: -1, offset: 0 } as const
}

function right({ kind }: { readonly kind: string }): void {
  if (kind !== 'right') throw new Error(`a right code was ${kind}`)
}

/**
 * CPU time, which other programs on the machine change little. It counts all threads of the process, so it begins
 * when the compiler has done its work: for the first 10,000 calls that works beside the code, and costs as much.
 */
async function microseconds(
  one: () => Promise<unknown>,
  rounds: number,
  times: number,
): Promise<Spread> {
  const took: number[] = []
  const warm = rounds === 1 ? 0 : WARM_UP
  for (const began = performance.now(); performance.now() - began < warm; ) await one()
  for (let round = 0; round < rounds; round += 1) {
    const before = process.cpuUsage()
    for (let nth = 0; nth < times; nth += 1) await one()
    const { user, system } = process.cpuUsage(before)
    took.push((user + system) / times)
  }
  return spreadOf(took)
}
