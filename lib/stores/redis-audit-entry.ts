import type { Actor, SecondStepEventType } from '../domain/event.js'
import { isAttempt } from '../domain/event-kind.js'
import type { Method } from '../domain/stamp.js'
import type { AuditEntry } from '../ports/audit-log.js'

// What is stored has these codes: never give one another meaning.
const TYPES: Readonly<Record<SecondStepEventType, string>> = {
  enrolled: 'a',
  'code-accepted': 'b',
  'wrong-code': 'c',
  'authenticator-locked': 'd',
  'pending-login-used-up': 'e',
  'backup-code-used': 'f',
  'backup-codes-low': 'g',
  'backup-codes-made': 'h',
  'backup-codes-saved': 'i',
  'key-changed': 'j',
  'key-shown': 'k',
  reset: 'l',
  disabled: 'm',
  'mail-reset-asked': 'n',
  'mail-reset-refused': 'o',
  'mail-reset-ready': 'p',
  'mail-reset-opened': 'q',
  'mail-reset-done': 'r',
  'mail-reset-cancelled': 's',
  paused: 't',
  resumed: 'u',
  unlocked: 'v',
  'one-time-code-made': 'w',
  'one-time-code-used': 'x',
  'policy-changed': 'y',
  'change-refused': 'z',
  'too-many-changes': 'A',
  'logged-out': 'B',
  'sessions-ended': 'C',
  'password-changed': 'D',
  'secret-unreadable': 'E',
  'mail-failed': 'F',
  'authenticator-added': 'G',
  'authenticator-removed': 'H',
  'authenticator-renamed': 'I',
  'token-assigned': 'J',
  resynchronised: 'K',
  note: 'L',
  'upstream-accepted': 'M',
  'authenticator-suspended': 'N',
  'weaker-method-used': 'O',
  reminded: 'P',
  'browser-trusted': 'W',
  'trusted-browser-used': 'X',
  'trusted-browser-forgotten': 'Y',
  'trusted-browser-reused': 'Z',
}
const ACTORS: Readonly<Record<Actor['kind'], string>> = {
  user: 'u',
  admin: 'a',
  operator: 'o',
  system: 's',
}
/** The user whose second step it is, as the actor: their id is not written twice. */
const THEMSELVES = 't'
const METHODS: Readonly<Record<Method, string>> = {
  totp: 't',
  hotp: 'h',
  webauthn: 'w',
  'backup-code': 'b',
  'one-time-code': 'o',
  upstream: 'u',
  'trusted-browser': 'T',
  none: 'n',
}
/** What is counted by day, one type of each kind. */
const COUNTED = { a: 'wrong-code', c: 'code-accepted' } as const
const NO_METHOD = '-'
/** The name is in the JSON. */
const UNKNOWN = '?'

/** In the order of their bytes, so that ids are sorted as text. */
const DIGITS = '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz'
/** Characters of an id in Redis; the first 8 are its time. */
export const ID_LENGTH = 20

// No text in JSON is written like this.
const NULL = '"'
const EMPTY = '""'

/** User, address and user agent: what the entries of one user mostly have in common. */
export type EntryContext = readonly [user: string, ip: string, userAgent: string]

/** The id in 20 characters of 64: sorted by their bytes as ids are sorted as text. */
export function shortId(id: string): string {
  if (!/^[0-9a-f]{30}$/.test(id)) throw new Error('the id of an audit entry is no 30 digits')
  // Three digits are 12 bits, and two characters.
  let short = ''
  for (let at = 0; at < 30; at += 3) {
    const bits = (digitAt(id, at) << 8) | (digitAt(id, at + 1) << 4) | digitAt(id, at + 2)
    short += DIGITS.charAt(bits >> 6) + DIGITS.charAt(bits & 63)
  }
  return short
}

/** The value of a hexadecimal digit: `0` to `9` are 48 to 57, `a` to `f` 97 to 102. */
function digitAt(id: string, at: number): number {
  const code = id.charCodeAt(at)
  return code < 58 ? code - 48 : code - 87
}

function longId(short: string): string {
  let id = ''
  for (let at = 0; at < ID_LENGTH; at += 4) {
    let bits = 0
    for (const digit of short.slice(at, at + 4)) bits = bits * 64 + DIGITS.indexOf(digit)
    id += bits.toString(16).padStart(6, '0')
  }
  return id
}

/** Before every id of this time. */
export function shortIdOfTime(time: number): string {
  return shortId(hexOf(Math.max(0, Math.floor(time))).padEnd(30, '0'))
}

/**
 * An entry for Redis: the short id and three codes, then the context, a line each, then what is seldom
 * there as JSON. A line of the context that is empty says "as in the next newer entry of the list".
 * Text is as in JSON, so that it holds no end of a line.
 */
function encodeEntry(entry: AuditEntry): string {
  const { id, at, type, actor, user, method, ip, userAgent, reason, detail } = entry
  const isThemselves = actor.kind === 'user' && actor.id === user
  const codes = [
    codeOf(TYPES, type),
    isThemselves ? THEMSELVES : codeOf(ACTORS, actor.kind),
    method === null ? NO_METHOD : codeOf(METHODS, method),
  ]
  const rest = [
    isThemselves ? null : actor.id,
    reason,
    detail,
    timeOf(id) === at ? null : at,
    codes.includes(UNKNOWN) ? [type, actor.kind, method] : null,
  ]
  while (rest.length > 0 && rest.at(-1) === null) rest.pop()
  const lines = [shortId(id) + codes.join(''), textOf(user), textOf(ip), textOf(userAgent)]
  return (rest.length === 0 ? lines : [...lines, JSON.stringify(rest)]).join('\n')
}

/** The kind of entry, as the scripts know it, in front of the entry. A capital letter: it is counted by day. */
export function kindAndEntry(entry: AuditEntry): string {
  const kind = isAttempt(entry) ? 'a' : 'c'
  const isCounted = entry.type === COUNTED[kind]
  return (isCounted ? kind.toUpperCase() : kind) + encodeEntry(entry)
}

/** @param newer the context of the next newer entry, for the lines that are empty */
export function decodeEntry(
  text: string,
  newer: EntryContext | null,
): { readonly entry: AuditEntry; readonly context: EntryContext } {
  const [head = '', user = '', ip = '', userAgent = '', json = '[]'] = text.split('\n')
  const context: EntryContext = [
    user || (newer?.[0] ?? ''),
    ip || (newer?.[1] ?? ''),
    userAgent || (newer?.[2] ?? ''),
  ]
  const [ofUser, ofIp, ofAgent] = context.map(readText)
  const [type = '', kind = '', method = ''] = head.slice(ID_LENGTH)
  const id = longId(head.slice(0, ID_LENGTH))
  const [actorId, reason, detail, at, names] = restOf(json)
  const [typeName, kindName, methodName] = names ?? []
  const isThemselves = kind === THEMSELVES
  const entry: AuditEntry = {
    id,
    at: at ?? timeOf(id),
    type: typeName ?? nameOf(TYPES, type),
    actor: isThemselves
      ? { kind: 'user', id: ofUser ?? null }
      : { kind: kindName ?? nameOf(ACTORS, kind), id: actorId ?? null },
    user: ofUser ?? null,
    method: method === NO_METHOD ? null : (methodName ?? nameOf(METHODS, method)),
    ip: ofIp ?? null,
    userAgent: ofAgent ?? null,
    reason: reason ?? null,
    detail: detail ?? null,
  }
  return { entry, context }
}

type Rest = [
  actorId?: string | null,
  reason?: string | null,
  detail?: object | null,
  at?: number | null,
  names?: [type: SecondStepEventType, kind: Actor['kind'], method: Method | null] | null,
]

function restOf(json: string): Rest {
  const rest: unknown = JSON.parse(json)
  if (Array.isArray(rest)) return rest as Rest
  throw new Error('an entry of the audit log is damaged')
}

function timeOf(id: string): number {
  return Number.parseInt(id.slice(0, 12), 16)
}

function hexOf(time: number): string {
  return time.toString(16).padStart(12, '0')
}

function textOf(value: string | null): string {
  if (value === null) return NULL
  return value === '' ? EMPTY : JSON.stringify(value).slice(1, -1)
}

/** @throws Error for what no entry has */
function readText(text: string): string | null {
  if (text === '') throw new Error('an entry of the audit log is damaged')
  if (text === NULL) return null
  return text === EMPTY ? '' : JSON.parse(`"${text}"`)
}

/** A name that a host has made up is written as it is. */
function codeOf(codes: Readonly<Record<string, string>>, name: string): string {
  return Object.hasOwn(codes, name) ? (codes[name] ?? UNKNOWN) : UNKNOWN
}

/** @throws Error for a code that this version does not know */
function nameOf<Key extends string>(codes: Readonly<Record<Key, string>>, code: string): Key {
  for (const key in codes) if (codes[key] === code) return key
  throw new Error('an entry of the audit log is damaged, or of a later version')
}
