import { BrokenRecordError } from '../domain/parse-record.js'
import { decodeRecord, isEncoded } from '../domain/record-bytes.js'

/** The document existed and is gone. */
export class LostRecordError extends BrokenRecordError {
  static override readonly name: string = 'LostRecordError'
  readonly key: string

  /** @param instead what is there, without a word of its content */
  constructor(key: string, instead: string) {
    super(`the record "${key}" is lost: ${instead}`)
    this.key = key
  }
}

export function emptied(marker: string): Error {
  return new Error(`the key "${marker}" is missing: Redis lost its records`)
}

/**
 * JSON's `null` must not count as "never written". The parser's message is left out, because it
 * quotes the text.
 *
 * @throws LostRecordError where the text is no object's
 */
export function parseDocument(key: string, text: string): object {
  const document = parsed(text)
  if (typeof document === 'object' && document !== null) return document
  throw new LostRecordError(key, 'what is there is no document')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/**
 * A record as it is stored, not parsed yet: in bytes, or in the JSON of version 0.1.0.
 *
 * @throws LostRecordError where it is neither
 */
export function recordOfBytes(key: string, bytes: Buffer): object {
  if (!isEncoded(bytes)) return parseDocument(key, bytes.toString())
  try {
    return decodeRecord(bytes)
  } catch {
    throw new LostRecordError(key, 'what is there was changed')
  }
}
