/**
 * Text that is safe for a terminal: line breaks are its only control characters. An id or a reason
 * may hold control sequences of ECMA-48 (also 8-bit ones), or characters that reverse the direction
 * of the text.
 */
export function printable(text: string): string {
  return text.replace(/[^\P{C}\n]/gu, escaped)
}

/** JSON that a program reads the same. `JSON.stringify` does not escape U+007F to U+009F. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(/\p{Cc}/gu, escaped)
}

/** As JSON writes it. */
function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
