/** Ignores accents and case, as databases do. Every Node.js has this collation. */
const COLLATOR = new Intl.Collator('und', { sensitivity: 'base', ignorePunctuation: false })
const IGNORED = /[\p{M}\p{Z}\p{C}\p{Default_Ignorable_Code_Point}]/u
const ASCII = /^[\x21-\x7e]*$/
const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
const DIGITS = [...'0123456789']
/** There is a single character for each of them, such as 🆒. */
const WORDS =
  'A/S COOL FREE NEW SOS UP! 3D 2NDSCR 2K 4K 8K 5.1 7.1 22.2 60P 120P HDR HI-RES LOSSLESS SHV UHD VOD'.split(
    ' ',
  )
/** What the collation may take another character for: `Ø` for O, `Æ` for AE, any script's digit for 0 to 9, `⓫` for 11. */
const PLAIN: readonly string[] = [
  '',
  ...DIGITS.flatMap((one) => [one, ...DIGITS.map((two) => one + two)]),
  ...LETTERS.flatMap((one) => [one, ...LETTERS.map((two) => one + two)]),
  ...WORDS,
].sort(COLLATOR.compare)
/** Bengali signs for the numerators 1 to 4. */
const NUMERATOR = /[\u09f4-\u09f7]/g
const KATAKANA = /[\u30a1-\u30f6]/g
const FROM_KATAKANA_TO_HIRAGANA = -0x60
/** Small kana and final Hebrew letters. The usual form of each is the next code point. */
const OTHER_FORM = /[ぁぃぅぇぉっゃゅょゎךםןףץ]/g
const LAST_KNOWN = '\u{1ffff}'
const NUMBER = /^\+?(?=\.?\d)(\d*)(\.\d*)?(E[+-]?\d+)?$/
const NUMBER_BEFORE = /^\s*(\+?(?=\.?\d)\d*(?:\.\d*)?(?:e[+-]?\d+)?)/i
/** In characters; an address has at most 254. Longer names are refused before they are counted. */
export const LONGEST_NAME = 1000

/**
 * The form under which a name is counted. Names that a common database may take for one another have the
 * same form: in MySQL, MariaDB, SQL Server, and PostgreSQL with `citext` or an ICU collation. It is coarser
 * than any single collation, so different users may share a form. It says which tries are counted
 * together, never who somebody is.
 *
 * Some collations of single languages take further letters outside ASCII for one another. See `isPlainName`.
 */
export function countedName(name: string): string {
  // To normalise a long name takes time that grows with the square of its length.
  if (name.length > LONGEST_NAME) return ''
  // Most names are; no collation takes a character of theirs for another but by its case.
  if (ASCII.test(name)) return numbered(alike(name.toUpperCase()))
  const plain = [...name.normalize('NFKD').replace(NUMERATOR, digitOf)].map(plainOf).join('')
  const form = alike(plain.toLowerCase().toUpperCase())
    .replace(KATAKANA, (letter) => moved(letter, FROM_KATAKANA_TO_HIRAGANA))
    .replace(OTHER_FORM, (letter) => moved(letter, 1))
    .split('@')
    .map(weighed)
    .join('@')
  return numbered(form)
}

/** A column of numbers takes all texts of a number for one another. */
function numbered(form: string): string {
  const [, digits, fraction = '', exponent] = NUMBER.exec(form) ?? []
  if (digits === undefined) return form
  if (exponent === undefined && /^\.?0*$/.test(fraction)) return digits.replace(/^0+/, '') || '0'
  return String(Number(form)).toUpperCase()
}

/**
 * The number that a name begins with, or null if it is counted as that number, or begins with none. MySQL
 * and MariaDB compare a column of numbers with this number alone, and `parseInt` reads it likewise.
 */
export function numberBefore(name: string): string | null {
  const [, before] = NUMBER_BEFORE.exec(name.slice(0, LONGEST_NAME)) ?? []
  if (before === undefined) return null
  const number = numbered(before.toUpperCase())
  return number === countedName(name) ? null : number
}

/** Latin letters that a collation takes for one another. */
function alike(capitals: string): string {
  return (
    capitals
      // Lithuanian, Latin, and older Swedish and Finnish collations.
      .replace(/[JY]/g, 'I')
      .replace(/[VW]/g, 'U')
      .replace(/CH+/g, 'C')
      // Some collations take ß for s, others for ss.
      .replace(/S+/g, 'S')
  )
}

/**
 * Whether all its characters are in ASCII. What other characters a database takes them for depends on
 * its language: in Swedish ü is y, in German ö is oe. `countedName` can't know each.
 */
export function isPlainName(name: string): boolean {
  return /^[\x20-\x7e]*$/.test(name)
}

/** Results by character. Each is below U+20000, so there are at most 131,072. */
const known = new Map<string, string>()

function plainOf(character: string): string {
  if (ASCII.test(character)) return character
  // Ideographs, private use and the like: no collation takes them for a letter or a digit.
  if (character > LAST_KNOWN && character.length > 1) return ''
  const before = known.get(character)
  if (before !== undefined) return before
  const plain = plainLike(character) ?? otherThanPlain(character)
  known.set(character, plain)
  return plain
}

function otherThanPlain(character: string): string {
  // Older collations do not know emoji: they ignore them, or take one for another.
  return character.length > 1 || IGNORED.test(character) ? '' : character
}

function plainLike(character: string): string | undefined {
  let [from, to] = [0, PLAIN.length]
  while (from < to) {
    const middle = (from + to) >> 1
    const plain = PLAIN[middle] ?? ''
    const order = COLLATOR.compare(character, plain)
    if (order === 0) return plain
    if (order < 0) to = middle
    else from = middle + 1
  }
  return undefined
}

function digitOf(numerator: string): string {
  return `${numerator.charCodeAt(0) - 0x9f3}`
}

function moved(letter: string, by: number): string {
  return String.fromCharCode(letter.charCodeAt(0) + by)
}

/** Older collations ignore whole scripts. Next to a Latin letter only ASCII counts. */
function weighed(part: string): string {
  return /[A-Z]/.test(part) ? part.replace(/[^\x21-\x7e]/g, '') : part
}
