/**
 * The characters that can follow a closing quote. Before any other character, the text continues.
 */
const AFTER_A_TEXT = /^(?:[\s,;:&.)}\]>"'`\\]|$)/
const OPENING = /\\{0,15}["'`]/y

/** The opening quote here, with its backslashes if it is inside another text; otherwise null. */
export function quoteAt(text: string, at: number): string | null {
  OPENING.lastIndex = at
  return OPENING.exec(text)?.[0] ?? null
}

/**
 * The end of a quoted text, before its closing quote, or the end of the input if there is none. A
 * quote inside is escaped with a backslash, or doubled as in SQL.
 *
 * @param from the first character after the opening quote
 */
export function endOfQuoted(text: string, from: number, quote: string): number {
  let at = text.indexOf(quote, from)
  while (at !== -1) {
    const after = at + quote.length
    const doubled = text.startsWith(quote, after)
    const escaped = at > from && text[at - 1] === '\\'
    const ends = AFTER_A_TEXT.test(text.slice(after, after + 1))
    if (!doubled && !escaped && ends) return at
    // `\''` may be either: a backslash before a doubled quote, or an escaped quote before the end.
    const skips = doubled && (!escaped || quote === "'")
    at = text.indexOf(quote, skips ? after + quote.length : at + 1)
  }
  return text.length
}

/**
 * The end of a JSON list or object, before its closing bracket.
 *
 * @param from the first character after the opening bracket
 */
export function endOfBracketed(text: string, from: number): number {
  let depth = 1
  let at = from
  while (at < text.length) {
    const quote = quoteAt(text, at)
    if (quote !== null) {
      const first = at + quote.length
      at = endOfQuoted(text, first, quote) + quote.length
      continue
    }
    const character = text[at]
    if (character === '[' || character === '{') depth += 1
    if (character === ']' || character === '}') depth -= 1
    if (depth === 0) return at
    at += 1
  }
  return text.length
}
