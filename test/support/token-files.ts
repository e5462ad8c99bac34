import type { TokenEntry } from '../../lib/tokens/entry.js'
import { readTokens } from '../../lib/tokens/read-tokens.js'

/** A day on which the keys of RFC 6030's figures are good, but for one. */
export const NOW = Date.UTC(2006, 4, 10)

export interface Reading {
  readonly key?: Uint8Array | null
  readonly now?: number
  /** Bytes that come at once. */
  readonly size?: number
}

/** A file as it comes from a disk: in pieces that end anywhere. */
export async function* inPieces(file: string | Uint8Array, size = 7): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(file)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** Everything that a file of tokens has. */
export async function entriesOf(
  file: string | Uint8Array,
  { key = null, now = NOW, size = 7 }: Reading = {},
): Promise<readonly TokenEntry[]> {
  const entries: TokenEntry[] = []
  for await (const entry of readTokens(inPieces(file, size), { key, now })) entries.push(entry)
  return entries
}

/** The tokens in short: the line, the serial number, the user and the seed's text. */
export function tokensIn(entries: readonly TokenEntry[]): readonly string[] {
  return entries.flatMap((entry) => {
    if (entry.kind !== 'token') return []
    const { line, user, token } = entry
    return [
      `${line} ${token.serial} ${user ?? '-'} ${Buffer.from(token.secret).toString('latin1')}`,
    ]
  })
}

/** The faults in short: the line, and the word for it or the field. */
export function faultsIn(entries: readonly TokenEntry[]): readonly string[] {
  return entries.flatMap((entry) => {
    if (entry.kind === 'token') return []
    if (entry.kind === 'notice') return [`${entry.line} ${entry.notice}`]
    const { line, fault } = entry
    return [`${line} ${typeof fault === 'string' ? fault : `${fault.field} ${fault.why}`}`]
  })
}
