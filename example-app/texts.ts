import { readFileSync } from 'node:fs'
import type { Request, RequestHandler } from 'express'

/** The languages that the second step speaks too; the first is for everybody else. */
const LANGUAGES = ['en', 'ru', 'it', 'es'] as const

/** Writes the text of a key, in one language. */
export type Translate = (key: string) => string

const texts = new Map(
  LANGUAGES.map((lang) => {
    const file = new URL(`messages/${lang}.json`, import.meta.url)
    return [lang, JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>] as const
  }),
)

/** The texts in the language that the browser wants most. */
export function textsFor(req: Request): { t: Translate; lang: string } {
  const wanted = req.acceptsLanguages(...LANGUAGES)
  const lang = LANGUAGES.find((known) => known === wanted) ?? LANGUAGES[0]
  return { lang, t: (key) => texts.get(lang)?.[key] ?? key }
}

/** Gives every view the texts. */
export const speakTheirLanguage: RequestHandler = (req, res, next) => {
  Object.assign(res.locals, textsFor(req))
  res.vary('Accept-Language')
  next()
}
