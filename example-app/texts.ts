import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Request, RequestHandler } from 'express'

const FOLDER = new URL('messages/', import.meta.url)
/** The languages that the second step speaks too: one for each file. */
const LANGUAGES = readdirSync(FOLDER).map((file) => basename(file, '.json'))
/** For everybody else. */
const FALLBACK = 'en'

/** Writes the text of a key, in one language. */
export type Translate = (key: string) => string

const texts = new Map(
  LANGUAGES.map((lang) => {
    const file = new URL(`${lang}.json`, FOLDER)
    return [lang, JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>] as const
  }),
)

/** The texts in the language that the browser wants most. */
export function textsFor(req: Request): { t: Translate; lang: string } {
  const wanted = req.acceptsLanguages(...LANGUAGES)
  const lang = LANGUAGES.find((known) => known === wanted) ?? FALLBACK
  return { lang, t: (key) => texts.get(lang)?.[key] ?? key }
}

/** Gives every view the texts. */
export const speakTheirLanguage: RequestHandler = (req, res, next) => {
  Object.assign(res.locals, textsFor(req))
  res.vary('Accept-Language')
  next()
}
