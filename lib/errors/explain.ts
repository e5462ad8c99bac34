import { textOf } from './text-of.js'
import { withoutSecrets } from './without-secrets.js'

const LONGEST = 400
const DEEPEST = 4
/** At most this many errors of an AggregateError. */
const MOST = 4

/**
 * An error in one line, safe for an operator to read: its message and cause, without passwords and
 * without its other properties, which hold whole commands. Shortened, because a database driver
 * repeats its statement with the whole record before it says what was wrong. Never throws.
 *
 * @param options.causes whether its `cause` is told too. Default true
 */
export function explain(error: unknown, { causes = true }: { causes?: boolean } = {}): string {
  const told = new Set(textsOf(error, causes, DEEPEST))
  return [...told].filter((text) => text !== '').join(': ')
}

function textsOf(error: unknown, causes: boolean, depth: number): readonly string[] {
  if (depth === 0) return []
  const errors = propertyOf(error, 'errors')
  const cause = causes ? propertyOf(error, 'cause') : undefined
  const gathered: readonly unknown[] = Array.isArray(errors) ? errors.slice(0, MOST) : []
  const more = cause === undefined ? gathered : [...gathered, cause]
  return [shortTextOf(error), ...more.flatMap((one) => textsOf(one, causes, depth - 1))]
}

/**
 * An error without a message has at least a code, for example the refusals of a name with two
 * addresses.
 */
function shortTextOf(error: unknown): string {
  const text = withoutSecrets(textOf(error) || codeOf(error)).replace(/\s+/g, ' ')
  const half = LONGEST / 2
  return text.length <= LONGEST ? text : `${text.slice(0, half)} … ${text.slice(-half)}`
}

function codeOf(error: unknown): string {
  const words = [propertyOf(error, 'code'), propertyOf(error, 'name')]
  return words.find((word): word is string => typeof word === 'string' && word !== '') ?? ''
}

function propertyOf(error: unknown, name: string): unknown {
  try {
    return Reflect.get(Object(error), name)
  } catch {
    return undefined
  }
}
