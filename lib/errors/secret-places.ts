import { endOfBracketed, endOfQuoted, quoteAt } from './quoted-text.js'

/** From the first character of a secret to the one after it. */
export type Span = readonly [start: number, end: number]

const WORD = /\S+/g
const BEFORE_A_SCHEME = /[a-z][a-z0-9+.-]{0,19}$/i
// `app:password@db:3306` without a scheme; an id of a realm, `acme:ann@acme.example`, has nothing behind it.
const USER = /^[([{<"'`]*[\w.%+-]{0,64}:(?!\/\/)/
const HOST = /^@[\w.-]{0,255}(?::\d|[/(])/
const PORT = String.raw`\d{1,5}(?:[/?#\s,;)'"\]]|$)`
const UNENDED = new RegExp(
  String.raw`(:\/\/[^\s:/@[]{0,100}:)(?!${PORT})(?:[^@\n]{0,200}@|\S*)`,
  'g',
)

const LONG_NAMES =
  'password|passwd|passphrase|pwd|secret|(?<!unexpected )token|credential|authorization'
const KEYS = '(?:api-?|[_-]|(?:access|account|encryption|private) ?)keys?'
const SHORT_NAMES = String.raw`pass|${KEYS}|(?<![a-z])pw|(?<![a-z])(?:args|keys)(?=\W{1,9}\[)`
const SEPARATOR = String.raw`\\{0,15}["'\`]?(?:\s{0,9}[:=]>?\s{0,9}|\s{1,9}(?=['"\`]))`
const NAME = new RegExp(
  String.raw`(?:(?:${LONG_NAMES})[\w-]{0,40}|(?:${SHORT_NAMES})(?![a-z]))${SEPARATOR}`,
  'gi',
)
const PATH = /\/[\w.-]*$/
const UNQUOTED = /(?:(?:Bearer|Basic) +)?\S+/y

const QUOTED_AUTH = /(?<quote>["'`])auth\k<quote>/gi
const BETWEEN_ARGUMENTS = /[\s,]{1,9}(?=["'`])/y
const PROSE = '<|command\\b|called\\b|failed\\b|required\\b|mechanism|not\\b'
const AUTH = new RegExp(String.raw`\bAUTH\s+(?!${PROSE})\S+(?:\s+\S+)?`, 'g')

// A command line, as the error of a child process repeats it.
const ARGUMENT = String.raw`("[^"\n]{0,400}"?|'[^'\n]{0,400}'?|\S+)`
const LONG_OPTION = new RegExp(
  String.raw`(?<![\w'"-])--?(?:pass(?:word|wd|phrase)?|pwd|secret|token|api-?key)\s{1,9}(?!-)${ARGUMENT}`,
  'g',
)
const REDIS_OPTION = new RegExp(String.raw`\bredis-cli\b[^\n]{0,200}?\s-a\s{1,9}${ARGUMENT}`, 'g')
const SQL_OPTION = new RegExp(
  String.raw`\b(?:mysql|mariadb)[\w-]{0,20}\s(?:[^\n]{0,200}?\s)?-p${ARGUMENT}`,
  'g',
)
const BEARER = /\bBearer\s{1,9}(?!realm|scheme|token|auth)(\S{8,})/gi
const PRIVATE_KEY = /-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----([\s\S]*?)(?:-----END|$)/g
/** The reset link of a mail. */
const LOST_LINK = /\/lost\/(?!cancel)([^\s/?#"'`]{12,})/g

const UNKNOWN_COMMAND = /with args beginning with: ?(.*)/gs
const NOT_JSON = /Unexpected (?:token .{1,4}|[^,]{0,60}), (.{0,400}?) is not valid JSON/gs

/**
 * The places of secrets in texts of drivers, clients and parsers. Each search takes time in
 * proportion to the text.
 */
export const SECRET_PLACES: readonly ((text: string) => Iterable<Span>)[] = [
  inAddresses,
  inUnendedAddresses,
  afterNames,
  afterQuotedAuth,
  afterAuth,
  ...[
    LONG_OPTION,
    REDIS_OPTION,
    SQL_OPTION,
    BEARER,
    PRIVATE_KEY,
    LOST_LINK,
    UNKNOWN_COMMAND,
    NOT_JSON,
  ].map((place) => (text: string) => lastGroups(text, place)),
]

/** Up to the last @: a password that was not escaped may have slashes and more of them. */
function* inAddresses(text: string): Iterable<Span> {
  for (const { 0: word, index } of text.matchAll(WORD)) {
    const end = word.lastIndexOf('@')
    if (end === -1) continue
    const start = startOfUser(word)
    if (start !== null && start < end) yield [index + start, index + end]
  }
}

/** The start of the user and the password in an address. A file has none. */
function startOfUser(word: string): number | null {
  const user = USER.exec(word)
  if (user !== null && HOST.test(word.slice(word.lastIndexOf('@')))) return user[0].length
  for (let at = word.indexOf('://'); at !== -1; at = word.indexOf('://', at + 3)) {
    const scheme = BEFORE_A_SCHEME.exec(word.slice(Math.max(0, at - 20), at))?.[0]
    if (scheme !== undefined && scheme.toLowerCase() !== 'file') return at + 3
  }
  return null
}

/**
 * An address that was cut short, or whose password has a blank: the text after the colon is no
 * port.
 */
function* inUnendedAddresses(text: string): Iterable<Span> {
  for (const { 0: found, index } of text.matchAll(UNENDED)) {
    yield [index + 3, index + found.length - (found.endsWith('@') ? 1 : 0)]
  }
}

/** `"password": "…"`, `PGPASSWORD=…`, `--token '…'` and their like. */
function* afterNames(text: string): Iterable<Span> {
  let done = 0
  for (const { 0: name, index } of text.matchAll(NAME)) {
    // Skips the inside of a value: it is left out already, and another search in each would take
    // too long.
    if (index < done || isEndOfPath(text, name, index)) continue
    const [start, end] = valueAt(text, index + name.length)
    yield [start, end]
    done = end
  }
}

/** `POST /token: …` tells of a route. */
function isEndOfPath(text: string, name: string, index: number): boolean {
  return /:\s+$/.test(name) && PATH.test(text.slice(Math.max(0, index - 40), index))
}

function valueAt(text: string, at: number): Span {
  const quote = quoteAt(text, at)
  if (quote !== null) {
    const start = at + quote.length
    return [start, endOfQuoted(text, start, quote)]
  }
  if (text[at] === '[' || text[at] === '{') return [at + 1, endOfBracketed(text, at + 1)]
  UNQUOTED.lastIndex = at
  return [at, at + (UNQUOTED.exec(text)?.[0].length ?? 0)]
}

/** `"auth" "user" "password"`, as Redis' MONITOR and inspected commands show it. */
function* afterQuotedAuth(text: string): Iterable<Span> {
  let done = 0
  for (const { 0: found, index } of text.matchAll(QUOTED_AUTH)) {
    if (index < done) continue
    let at = index + found.length
    for (let argument = 0; argument < 2; argument += 1) {
      BETWEEN_ARGUMENTS.lastIndex = at
      const blank = BETWEEN_ARGUMENTS.exec(text)
      if (blank === null || text.startsWith('args', BETWEEN_ARGUMENTS.lastIndex + 1)) break
      const [start, end] = valueAt(text, at + blank[0].length)
      yield [start, end]
      at = end + 1
      done = end
    }
  }
}

function* afterAuth(text: string): Iterable<Span> {
  for (const { 0: found, index } of text.matchAll(AUTH)) {
    yield [index + found.search(/\s/) + 1, index + found.length]
  }
}

function* lastGroups(text: string, place: RegExp): Iterable<Span> {
  for (const { 0: found, 1: secret = '', index } of text.matchAll(place)) {
    const start = index + found.lastIndexOf(secret)
    yield [start, start + secret.length]
  }
}
