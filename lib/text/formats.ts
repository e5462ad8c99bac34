import { IntlMessageFormat } from 'intl-messageformat'
import { ConfigurationError } from '../errors/configuration-error.js'

/** A text of one language, ready for its values. */
export interface Format {
  /** The names of what it is given. */
  readonly placeholders: readonly string[]
  write(values?: Record<string, string | number | Date>): string
}

/** The texts of a language by key. */
export interface Formats {
  get(key: string): Format | undefined
}

type Elements = ReturnType<IntlMessageFormat['getAst']>

/** As the parser's `TYPE` has it. */
const LITERAL = 0
/** A host's text may format a moment itself: as ours, not in the server's own zone. */
const IN_UTC = Object.fromEntries(
  ['date', 'time'].map((type) => [
    type,
    Object.fromEntries(
      ['short', 'medium', 'long', 'full'].map((style) => [style, { timeZone: 'UTC' }]),
    ),
  ]),
)

/**
 * Our texts, read when the first of them is asked for, and each parsed when it is asked for itself:
 * all of them at start-up would take a tenth of a second and some megabytes.
 */
export function formatsWhenAsked(lang: string, read: () => Record<string, string>): Formats {
  const parsed = new Map<string, Format>()
  let texts: ReadonlyMap<string, string> | undefined
  return {
    get(key) {
      const known = parsed.get(key)
      if (known !== undefined) return known
      texts ??= new Map(Object.entries(read()))
      const text = texts.get(key)
      if (text === undefined) return undefined
      const format = parse(lang, text)
      parsed.set(key, format)
      return format
    },
  }
}

/**
 * The host's texts, all parsed at once, so that mistakes show at start-up.
 *
 * @param ours the English texts, which say what keys and placeholders there are
 * @throws ConfigurationError naming `messages.<lang>.<key>`, where a message is ill-formed, or the
 *   key or a placeholder is none of ours
 */
export function checkedFormats(
  lang: string,
  texts: Record<string, string>,
  ours: Formats,
): ReadonlyMap<string, Format> {
  if (typeof texts !== 'object' || texts === null) {
    throw new ConfigurationError(
      `messages.${lang}: give texts by key, such as { "factor.totp.label": "…" }`,
    )
  }
  return new Map(
    Object.entries(texts).map(([key, text]) => [key, checked(lang, key, text, ours)] as const),
  )
}

function checked(lang: string, key: string, text: unknown, ours: Formats): Format {
  const option = `messages.${lang}.${key}`
  const our = ours.get(key)
  if (our === undefined) {
    throw new ConfigurationError(`${option}: there is no such key; messages/en.json has them all`)
  }
  if (typeof text !== 'string') throw new ConfigurationError(`${option}: must be a string`)
  const format = tried(option, lang, text)
  const unknown = format.placeholders.find((name) => !our.placeholders.includes(name))
  if (unknown !== undefined) {
    throw new ConfigurationError(`${option}: nothing is given for the placeholder {${unknown}}`)
  }
  return format
}

function tried(option: string, lang: string, text: string): Format {
  try {
    const format = parse(lang, text)
    // Some mistakes in the format of a date or a number show only in use.
    format.write(Object.fromEntries(format.placeholders.map((name) => [name, 1])))
    return format
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigurationError(`${option}: is no ICU message: ${why}`, { cause })
  }
}

function parse(lang: string, text: string): Format {
  // ICU quotes with an apostrophe, and everything else begins with a brace.
  if (!/[{}']/.test(text)) return { placeholders: [], write: () => text }
  // Tags stay text: the views escape what a message says.
  const format = new IntlMessageFormat(text, lang, IN_UTC, { ignoreTag: true })
  return {
    placeholders: placeholdersOf(format.getAst()),
    write(values) {
      const written = format.format(values)
      return Array.isArray(written) ? written.join('') : String(written)
    },
  }
}

function placeholdersOf(elements: Elements): readonly string[] {
  return elements.flatMap((element) => {
    if (!('value' in element) || element.type === LITERAL) return []
    const branches = 'options' in element ? Object.values(element.options) : []
    return [element.value, ...branches.flatMap((branch) => placeholdersOf(branch.value))]
  })
}
