import { BrokenRecordError } from '../domain/parse-record.js'

/** The document existed and is gone. */
export class LostRecordError extends BrokenRecordError {
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
