import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'
import { ConfigurationError } from '../errors/configuration-error.js'
import { checkedFormats, type Formats, formatsWhenAsked } from './formats.js'
import { checkLanguages, warnOfUnknownLanguage } from './languages.js'
import { packageFile } from './package-files.js'

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

type Language = ReturnType<Messages['for']>

/** The second is that of the published package, beside its JavaScript: scripts/pack-messages.ts. */
const FOLDERS = [packageFile('messages/'), new URL('./messages/', import.meta.url)]
const FILES = new Map(
  FOLDERS.filter((folder) => existsSync(folder)).flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => !file.startsWith('.'))
      .map((file) => [file.replace(/\.(?:json|br)$/, ''), new URL(file, folder)]),
  ),
)

/** The languages that the package brings along: one for each file of messages/. */
export const LANGUAGES = [...FILES.keys()]

// RFC 5646 §4.4.1. Without it one header of dashes would cost a tenth of a second.
const LONGEST_TAG = 35
const RIGHT_TO_LEFT = 'Adlm Arab Hebr Mand Nkoo Rohg Samr Syrc Thaa'.split(' ')

/**
 * Our texts and what the host adds: another language, or other texts in one of ours. A text that a
 * language lacks is shown in the wider one (`pt` for `pt-BR`), else in English.
 *
 * @param overrides ICU messages by language tag and key
 * @throws ConfigurationError naming `messages.<lang>.<key>`, where a message is ill-formed, or the
 *   key or a placeholder is none of ours; or where our texts are missing
 */
export function loadMessages(overrides: Record<string, Record<string, string>> = {}): Messages {
  checkLanguages(LANGUAGES)
  const all = new Map<string, readonly Formats[]>(
    [...OURS].map(([lang, formats]) => [lang, [formats]]),
  )
  const english = OURS.get('en') ?? NONE
  for (const [tag, texts] of Object.entries(overrides)) {
    const lang = canonical(tag)
    if (!OURS.has(lang)) warnOfUnknownLanguage(lang)
    all.set(lang, [checkedFormats(lang, texts, english), ...(all.get(lang) ?? [])])
  }
  const languages = new Map(
    [...all.keys()].map((lang) => [lang.toLowerCase(), language(lang, withWider(lang, all))]),
  )
  const fallback = language('en', all.get('en') ?? [])
  return { for: (wanted) => best(wanted, languages) ?? fallback }
}

const NONE: Formats = new Map()
const OURS: ReadonlyMap<string, Formats> = new Map(
  LANGUAGES.map((lang) => [lang, formatsWhenAsked(lang, () => textsOf(lang))]),
)

function textsOf(lang: string): Record<string, string> {
  const file = FILES.get(lang) ?? ''
  const bytes = readFileSync(file)
  const isPacked = String(file).endsWith('.br')
  return isPacked ? withKeys(JSON.parse(`${brotliDecompressSync(bytes)}`)) : JSON.parse(`${bytes}`)
}

/** Texts that are packed without their keys, in the order of the English ones. */
function withKeys(texts: readonly string[]): Record<string, string> {
  const keys = Object.keys(textsOf('en'))
  return Object.fromEntries(texts.map((text, index) => [keys[index], text]))
}

/** A language's texts, then those of wider languages and of English, for what it lacks. */
function withWider(lang: string, all: ReadonlyMap<string, readonly Formats[]>): readonly Formats[] {
  return [...rangesOf(lang), 'en'].flatMap((range) => all.get(range) ?? [])
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

function language(lang: string, layers: readonly Formats[]): Language {
  const { script } = new Intl.Locale(lang).maximize()
  return {
    lang,
    dir: script !== undefined && RIGHT_TO_LEFT.includes(script) ? 'rtl' : 'ltr',
    t(key, values) {
      for (const formats of layers) {
        const format = formats.get(key)
        if (format !== undefined) return format.write(values)
      }
      throw new Error(`there is no text "${key}" in messages/en.json`)
    },
  }
}

function canonical(tag: string): string {
  try {
    return new Intl.Locale(tag).toString()
  } catch (cause) {
    throw new ConfigurationError(`messages.${tag}: is no BCP 47 language tag`, { cause })
  }
}
