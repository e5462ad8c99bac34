import type { RecordStore } from '../../lib/index.js'
import { memoryAuditLog } from '../../lib/index.js'
import { ADMIN } from './admin.js'
import { postJson } from './answers.js'
import type { Browser } from './browser.js'
import { oathtool } from './oathtool.js'

export const TOKEN = `${ADMIN}/users/ann/token`
export const SEED = '3132333435363738393031323334353637383930'
export const BASE32 = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
/** A token with a button. */
export const FOB = { type: 'hotp', secret: BASE32, serial: 'A-1', counter: 5 }
/** A token with a clock. */
export const CLOCK = {
  ...{
    type: 'totp',
    secret: `${SEED}313233343536373839303132`,
    serial: 'T-60',
    digits: 8,
    period: 60,
  },
  algorithm: 'SHA-256',
}

/** The code of the fob at this counter. */
export const press = (counter: number) => oathtool('--hotp', `--counter=${counter}`, SEED)

/** The code of the token with a clock. */
export function clockCode(at: number): Promise<string> {
  const now = new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z/, ' UTC')
  const shape = ['--totp=sha256', '--digits=8', '--time-step-size=60s', `--now=${now}`]
  return oathtool(...shape, CLOCK.secret)
}

export const assign = (browser: Browser, body: object, path = TOKEN) =>
  postJson(browser, path, body)

export const noCall = async (): Promise<never> => {
  throw new Error('a store for tests keeps serial numbers')
}

/** What a store must have, without what writes a record and its events at once. */
export function plainStore(whole: RecordStore): RecordStore {
  const { findSerial = noCall, writeSerial = noCall } = whole
  return {
    ...{ find: whole.find, write: whole.write, list: whole.list },
    ...{ findPolicy: whole.findPolicy, writePolicy: whole.writePolicy },
    ...{ findSerial, writeSerial, audit: whole.audit ?? memoryAuditLog() },
  }
}
