import { expect } from 'chai'
import { ConfigurationError } from '../../lib/errors/configuration-error.js'
import { checkLanguages } from '../../lib/text/languages.js'
import { warningsDuring } from '../support/warnings.js'

// The mistake: a bundler or a Dockerfile copied the JavaScript alone. Pages were in English for everybody, or failed at the
// first of them.
describe('languages that the package has lost', () => {
  it('are refused where English is among them, and warned of where all others are', async () => {
    for (const names of [[], ['ru', 'it']]) {
      expect(() => checkLanguages(names)).to.throw(ConfigurationError, /no messages\/en\.json/)
    }
    const [said, ...more] = await warningsDuring(() => checkLanguages(['en']))
    expect(said).to.include('English is the only language').and.include('dist/messages')
    expect(more).to.deep.equal([])
    expect(await warningsDuring(() => checkLanguages(['en', 'pt-BR']))).to.deep.equal([])
  })

  it('are refused by the file that is named wrongly', () => {
    for (const name of ['de.jsn', 'es copy', 'README.md', 'it_IT']) {
      const says = `messages/${name} is no file of a language`
      expect(() => checkLanguages(['en', 'de', name])).to.throw(ConfigurationError, says)
    }
  })
})
