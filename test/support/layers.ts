import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'

/** What every room of lib/web/ stands on. */
const BELOW_THE_WEB = [
  ...['service', 'domain', 'factors', 'ports', 'errors'],
  ...['express', 'express-session', 'passport'],
  ...['node:fs', 'node:http', 'node:net', 'node:path', 'node:url'],
]

/**
 * Who may import whom. A row is a folder of lib/, a room of lib/web/ or a file at the top of lib/; a
 * word in it is another row, a single file of one, a package, or `*` for anything. Types count: what is
 * imported for its type alone is known all the same. Each row may import itself.
 */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  factors: ['node:crypto', 'otplib'],
  domain: ['factors', 'node:crypto'],
  ports: ['domain', 'factors', 'errors', 'node:crypto'],
  service: ['domain', 'factors', 'ports', 'errors', 'node:events', 'node:module', 'lru-cache'],
  // A store counts in its own place too, for hosts that name no other.
  stores: [
    ...['domain', 'ports', 'errors', 'redis', 'node:crypto', 'knex'],
    ...['limits/knex-counters', 'limits/redis-counters'],
  ],
  redis: ['domain', 'ports', 'errors', 'node:crypto'],
  keys: ['domain', 'ports', 'errors', 'node:crypto'],
  limits: [
    ...['domain', 'ports', 'errors', 'redis', 'node:crypto', 'rate-limiter-flexible', 'knex'],
    // Whatever lives in a database runs its commands the same way.
    ...['stores/knex-client', 'stores/knex-instance'],
  ],
  text: [
    ...['service', 'domain', 'factors', 'ports', 'errors'],
    ...['ejs', 'intl-messageformat', 'node:fs', 'node:path', 'node:url', 'node:zlib'],
    // The hash of the style that a page has in itself.
    'node:crypto',
  ],
  'web/request': [...BELOW_THE_WEB, 'node:v8', 'text'],
  'web/routing': [...BELOW_THE_WEB, 'text', 'web/request'],
  'web/login': [...BELOW_THE_WEB, 'text', 'web/request', 'web/routing'],
  'web/user': [...BELOW_THE_WEB, 'qrcode', 'text', 'web/request', 'web/routing', 'web/login'],
  // The admin router signs nobody in.
  'web/admin': [...BELOW_THE_WEB, 'text', 'web/request', 'web/routing'],
  // Loaded at the first answer of a key, and by nothing else.
  webauthn: ['factors', 'errors', '@simplewebauthn/server'],
  // Files are read by nobody but the command line.
  tokens: ['factors', 'domain/serial-claim', 'node:crypto', 'node:util', 'sax'],
  testing: ['domain', 'factors', 'ports', 'errors', 'node:assert', 'node:crypto'],
  cli: ['*'],
  options: ['*'],
  wiring: ['*'],
  'second-step': ['*'],
  index: ['*'],
}

/**
 * The folders of lib/factors/, and which others of them each may import. A factor knows what all of them
 * share, and no other factor: what two have in common is in a folder of its own.
 */
export const FACTORS_MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  otp: [],
  totp: ['otp'],
  hotp: ['otp'],
  webauthn: [],
  'backup-codes': [],
  'one-time-codes': [],
}

/** What knows Express and Passport; everything else works without a web server. */
export const MAY_KNOW_THE_WEB = [
  ...['web/request', 'web/routing', 'web/login', 'web/user', 'web/admin'],
  ...['options', 'wiring', 'second-step', 'index'],
]
export const THE_WEB = /^(express|express-session|passport|passport-.+|@types\/.+)$/

export const LIB = new URL('../../lib/', import.meta.url)
export const files = readdirSync(LIB, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts'))

const COMMENT_OR_STRING =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g
const SPECIFIER = /(?<!['"])\b(?:from|import|module|require)\s*\(?\s*['"]([^'"]+)['"]/g

export function withoutComments(source: string): string {
  return source.replace(COMMENT_OR_STRING, (part) => (part.startsWith('/') ? ' ' : part))
}

export function withoutStrings(source: string): string {
  return source.replace(COMMENT_OR_STRING, (part) => (part.startsWith('/') ? ' ' : "''"))
}

/** The file's name without its ending: `web/guard`. */
export function nameOf(file: string): string {
  return file.replace(/\.ts$/, '')
}

/** The row that a file belongs to: `web/login` for `web/login/guard`, `index` for itself. */
export function rowOf(name: string): string {
  const [folder = '', room = ''] = name.split('/')
  return folder === 'web' ? `${folder}/${room}` : folder
}

/** What a file imports, by the names that the table uses. */
export function importsOf(file: string, source: string): readonly string[] {
  const specifiers = [...withoutComments(source).matchAll(SPECIFIER)].map((match) => match[1] ?? '')
  return specifiers.map((specifier) => {
    if (specifier.startsWith('.')) {
      return posix.join(posix.dirname(file), specifier).replace(/\.[jt]s$/, '')
    }
    const parts = specifier.split('/')
    return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
  })
}

export function mayImport(file: string, imported: string): boolean {
  const row = rowOf(nameOf(file))
  const allowed = [row, ...(MAY_IMPORT[row] ?? [])]
  return allowed.includes('*') || allowed.includes(imported) || allowed.includes(rowOf(imported))
}

export function sourceOf(file: string): string {
  return readFileSync(new URL(file, LIB), 'utf8')
}
