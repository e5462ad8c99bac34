import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { IntlMessageFormat } from 'intl-messageformat'
import { LANGUAGES, loadMessages } from '../../lib/text/messages.js'

type Texts = Readonly<Record<string, string>>
type Element = ReturnType<IntlMessageFormat['getAst']>[number]

const FOLDER = new URL('../../messages/', import.meta.url)
const PLURAL = 6

const textsOf = (lang: string): Texts =>
  JSON.parse(readFileSync(new URL(`${lang}.json`, FOLDER), 'utf8'))
const english = textsOf('en')

const elementsOf = (lang: string, text: string): readonly Element[] =>
  new IntlMessageFormat(text, lang, undefined, { ignoreTag: true }).getAst()

/** The elements, also those in the branches of others. */
function all(elements: readonly Element[]): readonly Element[] {
  return elements.flatMap((element) => {
    const branches = 'options' in element ? Object.values(element.options) : []
    return [element, ...branches.flatMap((branch) => all(branch.value))]
  })
}

/** What a text is given, and as what: `date as date long`, `count as plural`. */
function placeholders(lang: string, text: string): readonly string[] {
  const named = all(elementsOf(lang, text)).flatMap((element) => {
    if (element.type === 0 || !('value' in element)) return []
    const style = 'style' in element ? String(element.style) : ''
    return [`${element.value} as ${element.type} ${style}`]
  })
  return [...new Set(named)].sort()
}

/** The cases of every plural: `one`, `other`, and exact ones such as `=0`. */
function pluralCases(lang: string, text: string): readonly (readonly string[])[] {
  return all(elementsOf(lang, text)).flatMap((element) =>
    element.type === PLURAL ? [Object.keys(element.options)] : [],
  )
}

const isExact = (name: string) => name.startsWith('=')

describe('The languages', () => {
  it('are English, Russian, Italian and Spanish', () => {
    expect(LANGUAGES).to.have.members(['en', 'ru', 'it', 'es'])
  })

  for (const lang of LANGUAGES) {
    describe(lang, () => {
      const texts = textsOf(lang)

      it('has every text and no other, in the order of the English ones', () => {
        expect(Object.keys(texts)).to.deep.equal(Object.keys(english))
      })

      it('has the placeholders of the English texts, in the same formats', () => {
        for (const [key, text] of Object.entries(texts)) {
          expect(placeholders(lang, text), key).to.deep.equal(
            placeholders('en', english[key] ?? ''),
          )
        }
      })

      it('counts in the cases that the language has, and in the exact ones of English', () => {
        const cases = new Intl.PluralRules(lang).resolvedOptions().pluralCategories
        for (const [key, text] of Object.entries(texts)) {
          const plurals = pluralCases(lang, text)
          const ofEnglish = pluralCases('en', english[key] ?? '')
          expect(plurals, key).to.have.length(ofEnglish.length)
          for (const [index, names] of plurals.entries()) {
            expect(
              names.filter((name) => !isExact(name)),
              key,
            ).to.have.members(cases)
            expect(names.filter(isExact), key).to.deep.equal(ofEnglish[index]?.filter(isExact))
          }
        }
      })

      it('says every number of a counted text where other languages may need it', () => {
        const counts = { count: 21, hours: 21, minutes: 21, seconds: 21 }
        for (const [key, text] of Object.entries(texts)) {
          const elements = elementsOf(lang, text)
          const saysIt = all(elementsOf('en', english[key] ?? '')).some(({ type }) => type === 7)
          if (!elements.some(({ type }) => type === PLURAL) || !saysIt) continue
          const said = new IntlMessageFormat(text, lang).format(counts)
          expect(String(said), key).to.contain('21')
        }
      })

      // Ours are read and parsed when they are first asked for: a mistake would show in no start.
      it('has texts that can all be written', () => {
        const { t } = loadMessages().for([lang])
        for (const [key, text] of Object.entries(texts)) {
          const named = all(elementsOf(lang, text)).flatMap((element) =>
            element.type === 0 || !('value' in element) ? [] : [element.value],
          )
          const values = Object.fromEntries(named.map((name) => [name, 1]))
          expect(t(key, values), key).to.equal(
            String(
              new IntlMessageFormat(text, lang, undefined, { ignoreTag: true }).format(values),
            ),
          )
        }
      })

      it('has no empty text, no straight apostrophe and no space too many', () => {
        for (const [key, text] of Object.entries(texts)) {
          expect(text, key).not.to.match(/^\s|\s$|\s\s|'|\.\.|^$/)
        }
      })

      if (lang !== 'en') {
        it('is translated: no sentence is left in English', () => {
          const left = Object.entries(texts).filter(
            ([key, text]) => text === english[key] && /\p{L}+ \p{L}+/u.test(text),
          )
          expect(left).to.deep.equal([])
        })
      }
    })
  }
})
