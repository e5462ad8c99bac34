import { TextDecoder } from 'node:util'

/** The bytes of a file, in pieces. */
export type Bytes = AsyncIterable<Uint8Array>

/**
 * The text of a file in UTF-8, or in UTF-16 if a byte order mark says so. The mark itself is left
 * out; bytes that are no text become U+FFFD.
 */
export async function* decode(bytes: Bytes): AsyncGenerator<string> {
  let decoder: TextDecoder | null = null
  let held: Uint8Array = new Uint8Array()
  for await (const piece of bytes) {
    if (decoder !== null) {
      yield decoder.decode(piece, { stream: true })
      continue
    }
    held = Buffer.concat([held, piece])
    // The mark of UTF-16 has two bytes.
    if (held.length < 2) continue
    decoder = new TextDecoder(encodingOf(held))
    yield decoder.decode(held, { stream: true })
  }
  yield (decoder ?? new TextDecoder()).decode(decoder === null ? held : undefined)
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
}
