import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'

type Texts = Readonly<Record<string, string>>
type Lang = 'en' | 'ru' | 'it' | 'es'

const FOLDER = new URL('../../messages/', import.meta.url)
const LANGUAGES: readonly Lang[] = ['en', 'ru', 'it', 'es']

const textsOf = (lang: Lang): Texts =>
  JSON.parse(readFileSync(new URL(`${lang}.json`, FOLDER), 'utf8'))

/** The texts of a language that a pattern finds something in, each with what it found. */
function found(lang: Lang, pattern: RegExp, but: readonly string[] = []): readonly string[] {
  return Object.entries(textsOf(lang))
    .filter(([key]) => !but.includes(key))
    .flatMap(([key, text]) => [...text.matchAll(pattern)].map(([part]) => `${key}: ${part}`))
}

/** Words for what has another name in all the other texts of the language. */
const OTHER_NAMES: Readonly<Record<Lang, RegExp>> = {
  en: /(?<!e-)\bmails?\b|\bemails?\b|two-step|\b2FA\b|\bpresent (?:app|one)\b/gi,
  ru: /двухэтап\w*|\b2FA\b|e-?mail|имейл|учётн|\bмейл/giu,
  it: /verifica in due|due passaggi|\b2FA\b|(?<!e-)\bmail\b|\bemail\b|messaggi[oi]?\b/gi,
  es: /verificación en|dos pasos|\b2FA\b|\be-?mail|mensajes?\b|\bHecho:|claves? de acceso/gi,
}

/** Quotes of another language, and those of a typewriter. */
const WRONG_QUOTES: Readonly<Record<Lang, RegExp>> = {
  en: /["«»„]/g,
  ru: /["“”„’]/g,
  it: /["“”„]/g,
  es: /["“”„’]/g,
}

/** What speaks to the reader in another way than the rest does. */
const WRONG_ADDRESS: Readonly<Record<Exclude<Lang, 'en'>, RegExp>> = {
  ru: /(?<!\p{L})(?:ты|тебя|тебе|твой|твоя|твои|\p{L}+\(а\))(?!\p{L})/giu,
  it: /\b(?:Lei|Suo|Sua|Suoi|Sue|inserisca|clicchi|da solo)\b/g,
  es: /\b(?:usted|introduzca|escriba|pulse)\b/gi,
}

/** Names in the texts: all other words within a sentence are written small. */
const NAMES = /^(?:Aegis|Authenticator|Android|Google|JavaScript|Microsoft)$/

/**
 * A moment is written as "8 gennaio 2026 alle ore 12:01", whatever stands before it. In Italian the
 * article is another before the 1st, the 8th and the 11th; in Russian the day is in the genitive, and
 * "до 8 января 2026 г. в 12:01" has two prepositions.
 */
const MOMENT = '\\{(?:time|until|deadline)\\}'
const WRONG_MOMENTS: Readonly<Record<Exclude<Lang, 'en'>, RegExp>> = {
  ru: new RegExp(`(?<!\\p{L})(?:до|с|к|по|от|после) ${MOMENT}`, 'giu'),
  it: new RegExp(`(?<!: )${MOMENT}`, 'g'),
  es: new RegExp(`(?<!el )${MOMENT}`, 'g'),
}

/** Texts that a moment follows in the page. */
const BEFORE_MOMENTS = [
  ...[
    'events.until',
    'try-again.at',
    'try-again.from',
    'try-again.from-devices',
    'admin.one-time-code.until',
  ],
  ...['lost.again', 'lost.held-back', 'trust.since', 'trust.until'],
]
const GOOD_ENDINGS: Readonly<Record<Exclude<Lang, 'en'>, RegExp>> = {
  ru: /(?<!(?<!\p{L})(?:до|с|к|по|от|после))$/iu,
  it: /(?<!\bd?al):$/i,
  es: /:$| d?el$/,
}

/** What the pages call a device, unless it is an app. */
const OTHER_DEVICES: Readonly<Record<Lang, RegExp>> = {
  en: /(?<!Google |Microsoft )\bauthenticators?\b(?! app)/gi,
  ru: /(?<!приложени\p{L}{1,2}-)аутентификатор/giu,
  it: /autenticator[ei]/gi,
  es: /autenticador/gi,
}

/** Sessions on "devices", in texts where a device is what makes codes: those keep working, and sessions end. */
const SESSIONS_ON_DEVICES: Readonly<Record<Lang, RegExp>> = {
  en: /(?:sign\w*|sessions) [^.]*on [^.]*devices/gi,
  ru: /(?:сеанс\p{L}*|вы выйдете)[^.]* на \p{L}+ устройствах/giu,
  it: /session[ei] [^.]*\b(?:su|sugli) [^.]*dispositivi/gi,
  es: /sesi(?:ón|ones) [^.]*\ben [^.]*dispositivos/gi,
}

/** Texts about a device of any kind: an app, or a key fob. */
const OF_ANY_DEVICE =
  /^event\.(?:authenticator-\w+|key-changed|unlocked|secret-unreadable)$|^mail\.(?:enrolled|key-changed|authenticator-removed)\.|^device\.(?:renamed|removed)$|^admin\.unlock\.(?:text|done)$|^mail\.admin\.unlocked\.title$|^problem\.setup-required$|^tries-left|^challenge\.nothing-left$|^settings\.(?:reset|disable)-text$|^mail\.(?:reset|disabled|mail-reset-done|key-shown)\.|^(?:mail\.)?admin\.(?:token|token-assigned|pause|paused|pause-forever|reset|disabled?)\.|^mail\.admin\.one-time-code-made\.|^factor\.one-time-code\./

describe('The wording', () => {
  for (const lang of LANGUAGES) {
    describe(`in ${lang}`, () => {
      it('has one name for one thing', () => {
        expect(found(lang, OTHER_NAMES[lang])).to.deep.equal([])
      })

      it('tells of a device, which may be no app, as of a device', () => {
        const texts = Object.entries(textsOf(lang)).filter(([key]) => OF_ANY_DEVICE.test(key))
        expect(texts).to.have.length.of.at.least(106)
        const apps = texts.filter(([, text]) => /\bapp\b|aplicaci|приложен/iu.test(text))
        expect(apps).to.deep.equal([])
      })

      it('calls a device so, in all its texts, and nothing else', () => {
        expect(found(lang, OTHER_DEVICES[lang])).to.deep.equal([])
        expect(found(lang, SESSIONS_ON_DEVICES[lang])).to.deep.equal([])
      })

      it('calls a device so in the list of events, as on its page and in its mail', () => {
        const events = Object.entries(textsOf(lang)).filter(
          ([key]) => /^event\./.test(key) && OF_ANY_DEVICE.test(key),
        )
        expect(events).to.have.length(8)
        const others = events.filter(([, text]) => /authenticator|аутентификатор/iu.test(text))
        expect(others).to.deep.equal([])
      })

      it('has the quotes of the language', () => {
        expect(found(lang, WRONG_QUOTES[lang], ['mail.browser-on'])).to.deep.equal([])
      })

      it('ends buttons and headings without a full stop', () => {
        const short = Object.entries(textsOf(lang)).filter(([key]) =>
          /\.(?:button|summary|title|heading)$|^(?:action|state|mode)\./.test(key),
        )
        const ended = short.filter(
          ([key, text]) => key !== 'action.not-copied' && /[.:]$/.test(text),
        )
        expect(ended).to.deep.equal([])
      })

      if (lang === 'en') return

      it('speaks to the reader in one way', () => {
        expect(found(lang, WRONG_ADDRESS[lang])).to.deep.equal([])
      })

      it('writes words within a sentence small', () => {
        const capitals = found(lang, /(?<=[\p{L},] )\p{Lu}\p{Ll}\p{L}*/gu, [
          'factor.totp.clock-how',
        ]).filter((name) => !NAMES.test(name.split(': ')[1] ?? ''))
        expect(capitals).to.deep.equal([])
      })

      it('says a moment so that every date is right after it', () => {
        expect(found(lang, WRONG_MOMENTS[lang], ['mail.utc'])).to.deep.equal([])
        const texts = textsOf(lang)
        for (const key of BEFORE_MOMENTS) expect(texts[key], key).to.match(GOOD_ENDINGS[lang])
      })

      if (lang === 'it') {
        it('has no word before the name of the service that changes before a vowel', () => {
          expect(found(lang, /(?<!\p{L})[aeo] \{issuer\}/giu)).to.deep.equal([])
        })
      }

      if (lang === 'es') {
        it('says "escribir" for what is typed, but for the names in other apps', () => {
          expect(found(lang, /(?<!«)\bintrodu\p{L}+|\btecle\p{L}+/giu)).to.deep.equal([])
        })
      }
    })
  }

  it('is looked at in every language there is', () => {
    expect(readdirSync(FOLDER)).to.have.members(LANGUAGES.map((lang) => `${lang}.json`))
  })
})
