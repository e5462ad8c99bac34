import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { IntlMessageFormat } from 'intl-messageformat'
import { ConfigurationError } from '../errors/configuration-error.js'

/** Writes the text of a key. Throws at a key that there is no text for. */
export type Translate = (key: string, values?: Record<string, string | number | Date>) => string

/** The texts in all the languages there are. */
export interface Messages {
  /**
   * The first wanted language that there is: the very same, else a less specific one (`de` for
   * `de-CH`), else a more specific one (`pt-BR` for `pt`). English where there is none.
   *
   * @param languages BCP 47 tags (`ru_RU` will do), best first; anything else among them is passed over
   */
  for(languages: readonly string[]): { t: Translate; lang: string; dir: 'ltr' | 'rtl' }
}

type Formats = ReadonlyMap<string, IntlMessageFormat>
type Elements = ReturnType<IntlMessageFormat['getAst']>
type Language = ReturnType<Messages['for']>

const FOLDER = new URL('../../messages/', import.meta.url)

/** The languages that the package brings along: one for each file of messages/. */
export const LANGUAGES = readdirSync(FOLDER).map((file) => basename(file, '.json'))

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
// RFC 5646 §4.4.1. Without it one header of dashes would cost a tenth of a second.
const LONGEST_TAG = 35
const RIGHT_TO_LEFT = 'Adlm Arab Hebr Mand Nkoo Rohg Samr Syrc Thaa'.split(' ')

/**
 * Our texts and what the host adds: another language, or other texts in one of ours. A text that a
 * language lacks is shown in the wider one (`pt` for `pt-BR`), else in English.
 *
 * @param overrides ICU messages by language tag and key
 * @throws ConfigurationError naming `messages.<lang>.<key>`, where a message is ill-formed, or the
 *   key or a placeholder is none of ours
 */
export function loadMessages(overrides: Record<string, Record<string, string>> = {}): Messages {
  const ours = ourFormats()
  const all = new Map(ours)
  for (const [tag, texts] of Object.entries(overrides)) {
    const lang = canonical(tag)
    all.set(lang, new Map([...(all.get(lang) ?? []), ...formatsOf(lang, texts, ours.get('en'))]))
  }
  const languages = new Map(
    [...all.keys()].map((lang) => [lang.toLowerCase(), language(lang, withWider(lang, all))]),
  )
  const fallback = language('en', all.get('en') ?? new Map())
  return { for: (wanted) => best(wanted, languages) ?? fallback }
}

let parsed: ReadonlyMap<string, Formats> | undefined

/** Parsed once: it takes some milliseconds for each language. */
function ourFormats(): ReadonlyMap<string, Formats> {
  parsed ??= new Map(
    LANGUAGES.map((lang) => {
      const file = new URL(`${lang}.json`, FOLDER)
      return [lang, formatsOf(lang, JSON.parse(readFileSync(file, 'utf8')))]
    }),
  )
  return parsed
}

/** A language's texts, with those of wider languages and of English where it has none. */
function withWider(lang: string, all: ReadonlyMap<string, Formats>): Formats {
  const wider = rangesOf(lang).reverse()
  return new Map(['en', ...wider].flatMap((range) => [...(all.get(range) ?? [])]))
}

/** A tag and what is less specific: `de-CH-1996`, `de-CH`, `de`. */
function rangesOf(tag: string): string[] {
  return tag
    .split('-')
    .map((_, index, parts) => parts.slice(0, index + 1).join('-'))
    .reverse()
}

function best(wanted: readonly string[], languages: ReadonlyMap<string, Language>) {
  const tags = wanted
    .filter((tag) => tag.length <= LONGEST_TAG)
    .map((tag) => tag.toLowerCase().replaceAll('_', '-'))
  for (const tag of tags) {
    const wider = rangesOf(tag).find((range) => languages.has(range))
    const known = wider ?? [...languages.keys()].find((each) => each.startsWith(`${tag}-`))
    if (known !== undefined) return languages.get(known)
  }
  return undefined
}

function language(lang: string, formats: Formats): Language {
  const { script } = new Intl.Locale(lang).maximize()
  return {
    lang,
    dir: script !== undefined && RIGHT_TO_LEFT.includes(script) ? 'rtl' : 'ltr',
    t(key, values) {
      const format = formats.get(key)
      if (format === undefined) throw new Error(`there is no text "${key}" in messages/en.json`)
      const text = format.format(values)
      return Array.isArray(text) ? text.join('') : String(text)
    },
  }
}

function formatsOf(lang: string, texts: Record<string, string>, ours?: Formats): Formats {
  if (typeof texts !== 'object' || texts === null) {
    throw new ConfigurationError(
      `messages.${lang}: give texts by key, such as { "factor.totp.label": "…" }`,
    )
  }
  return new Map(
    Object.entries(texts).map(([key, text]) => [key, formatOf(lang, key, text, ours)] as const),
  )
}

function formatOf(lang: string, key: string, text: unknown, ours?: Formats): IntlMessageFormat {
  const option = `messages.${lang}.${key}`
  const our = ours?.get(key)
  if (ours !== undefined && our === undefined) {
    throw new ConfigurationError(`${option}: there is no such key; messages/en.json has them all`)
  }
  if (typeof text !== 'string') throw new ConfigurationError(`${option}: must be a string`)
  const format = parse(option, lang, text)
  const given = placeholders((our ?? format).getAst())
  const unknown = placeholders(format.getAst()).find((name) => !given.includes(name))
  if (unknown !== undefined) {
    throw new ConfigurationError(`${option}: nothing is given for the placeholder {${unknown}}`)
  }
  return format
}

function parse(option: string, lang: string, text: string): IntlMessageFormat {
  try {
    // Tags stay text: the views escape what a message says.
    const format = new IntlMessageFormat(text, lang, IN_UTC, { ignoreTag: true })
    // Some mistakes in the format of a date or a number show only in use.
    format.format(Object.fromEntries(placeholders(format.getAst()).map((name) => [name, 1])))
    return format
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigurationError(`${option}: is no ICU message: ${why}`, { cause })
  }
}

function placeholders(elements: Elements): readonly string[] {
  return elements.flatMap((element) => {
    if (!('value' in element) || element.type === LITERAL) return []
    const branches = 'options' in element ? Object.values(element.options) : []
    return [element.value, ...branches.flatMap((branch) => placeholders(branch.value))]
  })
}

function canonical(tag: string): string {
  try {
    return new Intl.Locale(tag).toString()
  } catch (cause) {
    throw new ConfigurationError(`messages.${tag}: is no BCP 47 language tag`, { cause })
  }
}
