import type { TokenField } from '../factors/hardware-token.js'

export type Column = TokenField | 'user'

/** Which column holds what. Null: nothing that is needed. */
export interface Columns {
  readonly columns: readonly (Column | null)[]
  /** The first row names the columns, and is no token. */
  readonly isHeader: boolean
  /** How many cells a row has at least. */
  readonly atLeast: number
  /** Whether a name in the header is neither known nor one of those that say nothing of codes. */
  readonly hasUnknown: boolean
}

const NAMES: Readonly<Record<Column, readonly string[]>> = {
  serial: ['serial', 'serialnumber', 'serialno', 'sn', 'tokenserial', 'tokenserialnumber'],
  secret: [
    'secret',
    'secretkey',
    'seed',
    'key',
    'otpkey',
    'tokenseed',
    'base32secret',
    'hexsecret',
  ],
  user: ['user', 'userid', 'username', 'upn', 'userprincipalname', 'login', 'owner'],
  type: ['type', 'tokentype', 'otptype'],
  algorithm: ['algorithm', 'hash', 'hashfunction', 'hashalgorithm', 'hashlib'],
  digits: ['digits', 'otplength', 'otplen', 'codelength', 'length'],
  period: ['period', 'timeinterval', 'timestep', 'interval', 'step'],
  counter: ['counter', 'initialcounter', 'eventcounter', 'movingfactor'],
}
const BY_NAME = new Map(
  Object.entries(NAMES).flatMap(([column, names]) => names.map((name) => [name, column as Column])),
)
const SAY_NOTHING = [
  ...['manufacturer', 'model', 'vendor', 'issuer', 'description', 'displayname', 'note', 'notes'],
]

/** `serial, seed, type, digits, period`, as several token servers export it. */
const PLAIN: readonly Column[] = ['serial', 'secret', 'type', 'digits', 'period']
/** `upn, serial number, secret key, time interval, manufacturer, model`, as vendors make it for Azure. */
const WITH_USER: readonly (Column | null)[] = ['user', 'serial', 'secret', 'period', null, null]

/** The layout of a file by its first row, or null: it is none of those that are known. */
export function columnsOf(first: readonly string[]): Columns | null {
  const columns = first.map((cell) => BY_NAME.get(plain(cell)) ?? null)
  if (columns.some((column) => column === 'serial' || column === 'secret')) {
    const named = columns.filter((column) => column !== null)
    const isWhole = named.includes('serial') && named.includes('secret')
    if (!isWhole || new Set(named).size < named.length) return null
    const hasUnknown = first.some(
      (cell, index) => columns[index] === null && !SAY_NOTHING.includes(plain(cell)),
    )
    return { columns, isHeader: true, atLeast: first.length, hasUnknown }
  }
  const without = { isHeader: false, hasUnknown: false }
  if (isPlain(first)) return { ...without, columns: PLAIN, atLeast: 3 }
  const isWithUser = first.length === WITH_USER.length && /^\d+$/.test(first[3] ?? '')
  return isWithUser ? { ...without, columns: WITH_USER, atLeast: WITH_USER.length } : null
}

function isPlain(first: readonly string[]): boolean {
  return first.length <= PLAIN.length && /^[ht]otp$/i.test(first[2] ?? '')
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '')
}
