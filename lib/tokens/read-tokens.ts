import { serialKey } from '../domain/serial-claim.js'
import { type Bytes, decode } from './decode.js'
import { faultAt, type TokenEntry } from './entry.js'
import { readCsv } from './read-csv.js'
import { SeenSerials } from './seen-serials.js'

const LONGEST_BLANK = 64 * 1024

/**
 * Reads a file of hardware tokens, PSKC (RFC 6030) or CSV, a piece at a time: however large it is,
 * the memory holds a token, and 32 bytes for each serial number.
 *
 * What is wrong with a token does not stop the others. A serial number that comes twice is a fault
 * where it comes again.
 *
 * @param key pre-shared key of an encrypted file, or null
 * @param now milliseconds
 */
export async function* readTokens(
  bytes: Bytes,
  { key, now }: { readonly key: Uint8Array | null; readonly now: number },
): AsyncGenerator<TokenEntry> {
  const text = decode(bytes)
  const start = await untilContent(text)
  const whole = joined(start, text)
  if (!start.trimStart().startsWith('<')) {
    // CSV has no encryption: whoever has a key was promised another file.
    if (key === null) yield* once(readCsv(whole))
    else yield faultAt(1, 'plain-seed')
    return
  }
  // The parser of XML is loaded by whoever needs one.
  const { readPskc } = await import('./read-pskc.js')
  yield* once(readPskc(whole, key, now))
}

async function* once(entries: AsyncIterable<TokenEntry>): AsyncGenerator<TokenEntry> {
  const serials = new SeenSerials()
  for await (const entry of entries) {
    const isTwice =
      entry.kind === 'token' && serials.see(serialKey(entry.token.serial), entry.line) !== null
    yield isTwice ? faultAt(entry.line, 'already-in-file') : entry
  }
}

/** The first piece that has more than blanks, after those that have none. */
async function untilContent(text: AsyncGenerator<string>): Promise<string> {
  let start = ''
  while (start.trim() === '' && start.length < LONGEST_BLANK) {
    const next = await text.next()
    if (next.done === true) break
    start += next.value
  }
  return start
}

async function* joined(start: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield start
  yield* rest
}
