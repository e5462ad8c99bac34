import type { SecondStepRecord } from './record.js'

/** The most characters of an authenticator's name. */
const NAME_AT_MOST = 40

/** Control and bidirectional characters, halves of one, and what no font has. */
const NOT_IN_A_NAME = /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/u
const INVISIBLE = /[\s\p{Default_Ignorable_Code_Point}\u2800]/gu

/** What one sees of a text. */
export function visibleOf(text: string): string {
  return text.replace(INVISIBLE, '')
}

/**
 * A name as it is kept: trimmed, each gap one blank.
 *
 * @returns null for an empty or invisible one, one that is too long, or one with characters that change
 *   how the text around it looks
 */
export function readName(typed: string): string | null {
  const name = typed.trim().replace(/ +/g, ' ').normalize('NFC')
  if (NOT_IN_A_NAME.test(name) || visibleOf(name) === '') return null
  return [...name].length <= NAME_AT_MOST ? name : null
}

/**
 * Whether another authenticator of the user has this name. Names that look alike in another case or another
 * form of the same characters are one.
 *
 * @param but id of the authenticator that the name is for; null: a new one
 */
export function isNameTaken(
  { authenticators }: Pick<SecondStepRecord, 'authenticators'>,
  name: string,
  but: string | null,
): boolean {
  const key = keyOf(name)
  return authenticators.some(
    (one) => one.id !== but && one.name !== null && keyOf(one.name) === key,
  )
}

function keyOf(name: string): string {
  return visibleOf(name.normalize('NFKC').toLowerCase().toUpperCase())
}
