import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { createSecondStep, errors, memoryStore, type SecondStepOptions } from '../lib/index.js'
import { checkWebauthn } from '../lib/options/check-webauthn.js'
import { warningsDuring } from './support/warnings.js'

const ACME = 'https://acme.example'

const refusalOf = (webauthn: unknown, origin = ACME): string => {
  try {
    checkWebauthn(webauthn, origin)
  } catch (error) {
    expect(error).to.be.instanceOf(errors.ConfigurationError)
    return (error as Error).message
  }
  return 'none'
}

const least = {
  issuer: 'Acme',
  origin: ACME,
  keys: [randomBytes(32).toString('base64')],
  store: memoryStore(),
} satisfies SecondStepOptions

describe('the option `webauthn`', () => {
  it('takes the domain and the origin of the app, if the host names no others', () => {
    const discouraged = { userVerification: 'discouraged' }
    expect(checkWebauthn(undefined, ACME)).to.equal(null)
    expect(checkWebauthn({}, ACME)).to.deep.equal({
      rpId: 'acme.example',
      origins: [ACME],
      ...discouraged,
    })
    expect(checkWebauthn({}, 'http://localhost:3000')).to.deep.equal({
      rpId: 'localhost',
      origins: ['http://localhost:3000'],
      ...discouraged,
    })
  })

  it('takes a domain that all origins are part of', () => {
    const origins = ['https://login.acme.example', 'https://shop.acme.example:8443']
    const webauthn = { rpId: 'acme.example', origins, userVerification: 'required' }
    expect(checkWebauthn(webauthn, 'https://login.acme.example')).to.deep.equal(webauthn)
  })

  const wrong: Readonly<
    Record<string, readonly [webauthn: unknown, says: RegExp, origin?: string]>
  > = {
    'no object': [true, /must be an object: \{\}/],
    null: [null, /must be an object/],
    'a misspelt name': [{ rpID: 'acme.example' }, /did you mean "?webauthn\.rpId|webauthn\.rpID/i],
    'the domain of somebody else': [
      { rpId: 'evil.test' },
      /is neither for https:\/\/acme\.example/,
    ],
    'a domain that the name only ends with': [{ rpId: 'me.example' }, /is neither/],
    'a domain below the origin': [{ rpId: 'www.acme.example' }, /is neither/],
    'a whole top-level domain': [{ rpId: 'example' }, /is neither/],
    'a scheme': [{ rpId: ACME }, /without scheme, port and path/],
    'a port': [{ rpId: 'acme.example:443' }, /without scheme, port and path/],
    'capital letters': [{ rpId: 'Acme.example' }, /in lower case/],
    'an empty domain': [{ rpId: '' }, /in lower case/],
    'http on a public domain': [{}, /needs https/, 'http://acme.example'],
    'an IP address': [{}, /needs a domain.*http:\/\/localhost/, 'https://192.0.2.1'],
    'an IPv6 address': [{}, /needs a domain/, 'https://[2001:db8::1]'],
    'an origin of another domain': [
      { origins: [ACME, 'https://acme.test'] },
      /for https:\/\/acme\.test/,
    ],
    'no origin': [{ origins: [] }, /list of origins/],
    'an origin with a path': [{ origins: [`${ACME}/app`] }, /webauthn\.origins\[0\]/],
    'another word for verification': [
      { userVerification: 'preferred' },
      /discouraged .* or required/,
    ],
  }
  for (const [name, [webauthn, says, origin]] of Object.entries(wrong)) {
    it(`refuses ${name}, naming it and the fix`, () => {
      expect(refusalOf(webauthn, origin)).to.match(says).and.include('`webauthn')
    })
  }

  it('needs its library at start-up, which it does not load', () => {
    const missing = () => {
      throw new Error('Cannot find package')
    }
    expect(() => checkWebauthn({}, ACME, [], missing)).to.throw(
      errors.ConfigurationError,
      'npm install @simplewebauthn/server@14',
    )
  })

  it('is needed by authenticators of this kind, and offers them', () => {
    expect(() => createSecondStep({ ...least, authenticators: ['totp', 'webauthn'] })).to.throw(
      errors.ConfigurationError,
      'webauthn: {} is enough',
    )
    createSecondStep({ ...least, webauthn: {}, authenticators: ['webauthn'] })
  })

  // The mistake: the single-page app on the other origin asks for a key, whose answer is always wrong.
  it('is told where `origins` has one that answers no key, unless its own list says so', async () => {
    const said = (webauthn: object) =>
      warningsDuring(() => {
        createSecondStep({ ...least, origins: ['https://spa.acme.example'], webauthn })
      })
    const [warning, ...others] = await said({ rpId: 'acme.example' })
    expect(warning).to.include('https://spa.acme.example').and.to.include('`webauthn.origins`')
    expect(others).to.deep.equal([])
    expect(await said({ rpId: 'acme.example', origins: [ACME] })).to.deep.equal([])
  })
})
