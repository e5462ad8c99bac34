/** Ignores accents and case, as databases do. Every Node.js has this collation. */
const COLLATOR = new Intl.Collator('und', { sensitivity: 'base', ignorePunctuation: false })
const IGNORED = /[\p{M}\p{Z}\p{C}\p{Default_Ignorable_Code_Point}]/u
const ASCII = /^[\x21-\x7e]$/
const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
/** What the collation may take another character for: `Ø` for O, `Æ` for AE, any script's digit for 0 to 9. */
const PLAIN: readonly string[] = [
  '',
  ...'0123456789',
  ...LETTERS.flatMap((one) => [one, ...LETTERS.map((two) => one + two)]),
].sort(COLLATOR.compare)
const KATAKANA = /[\u30a1-\u30f6]/g
const FROM_KATAKANA_TO_HIRAGANA = -0x60
/** Small kana and final Hebrew letters. The usual form of each is the next code point. */
const OTHER_FORM = /[ぁぃぅぇぉっゃゅょゎךםןףץ]/g
/** In characters; an address has at most 254. */
const LONGEST = 1000

/**
 * The form under which a name is counted. Names that a common database may take for one another have the
 * same form: in MySQL, MariaDB, SQL Server, and PostgreSQL with `citext` or an ICU collation. It is coarser
 * than any single collation, so different users may share a form. It says which tries are counted
 * together, never who somebody is.
 */
export function countedName(name: string): string {
  // No account has such a name, and to normalise it takes time that grows with the square of its length. All
  // of them share one count.
  if (name.length > LONGEST) return ''
  const plain = [...name.normalize('NFKD')].map(plainOf).join('')
  return (
    plain
      .toLowerCase()
      .toUpperCase()
      // Some collations take ß for s, others for ss.
      .replace(/S+/g, 'S')
      .replace(KATAKANA, (letter) => moved(letter, FROM_KATAKANA_TO_HIRAGANA))
      .replace(OTHER_FORM, (letter) => moved(letter, 1))
      .split('@')
      .map(weighed)
      .join('@')
  )
}

/** Results by character. All have one UTF-16 unit, so there are at most 65,536. */
const known = new Map<string, string>()

function plainOf(character: string): string {
  if (ASCII.test(character)) return character
  // Older collations do not know emoji: they ignore them, or take one for another.
  if (character.length > 1) return ''
  const before = known.get(character)
  if (before !== undefined) return before
  const plain = plainLike(character) ?? (IGNORED.test(character) ? '' : character)
  known.set(character, plain)
  return plain
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

function moved(letter: string, by: number): string {
  return String.fromCharCode(letter.charCodeAt(0) + by)
}

/** Older collations ignore whole scripts. Next to a Latin letter only ASCII counts. */
function weighed(part: string): string {
  return /[A-Z]/.test(part) ? part.replace(/[^\x21-\x7e]/g, '') : part
}
