/**
 * Text for a terminal, where nothing but line breaks does anything: an id or a reason may hold the
 * controls of ECMA-48, 8-bit ones too, or turn the direction of what follows.
 */
export function printable(text: string): string {
  return text.replace(/[^\P{C}\n]/gu, escaped)
}

/** JSON that is the same to a program. `JSON.stringify` leaves U+007F to U+009F as they are. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(/\p{Cc}/gu, escaped)
}

/** As JSON writes it. */
function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
