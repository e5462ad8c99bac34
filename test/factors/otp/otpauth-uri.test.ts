import { expect } from 'chai'
import fc from 'fast-check'
import { base32Of } from '../../../lib/factors/otp/base32.js'
import { labelOf, otpauthUri } from '../../../lib/factors/otp/otpauth-uri.js'
import { PARAMETERS, SECRET } from '../../support/records.js'

const KEY = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

function parsed(issuer: string, account: string) {
  const uri = otpauthUri(issuer, account, KEY, PARAMETERS)
  const url = new URL(uri)
  return { uri, url, label: url.pathname.slice(1), parameters: [...url.searchParams] }
}

describe('the address in the QR code', () => {
  it('is that of the Key URI Format', () => {
    expect(otpauthUri('Acme Ltd', 'ada@acme.example', KEY, PARAMETERS)).to.equal(
      `otpauth://totp/Acme%20Ltd:ada%40acme.example?secret=${KEY}&issuer=Acme%20Ltd&algorithm=SHA1&digits=6&period=30`,
    )
  })

  it('says the parameters that were chosen', () => {
    const chosen = { algorithm: 'sha512', digits: 8, period: 60 } as const
    const { searchParams } = new URL(otpauthUri('Acme', 'ada', KEY, chosen))
    expect(Object.fromEntries(searchParams)).to.deep.equal({
      secret: KEY,
      issuer: 'Acme',
      algorithm: 'SHA512',
      digits: '8',
      period: '60',
    })
  })

  // A name that the user chose must neither add a parameter to the address nor change one.
  const names: Record<string, { name: string; label: string }> = {
    'a script': { name: '<script>alert(1)</script>', label: '<script>alert(1)</script>' },
    'a colon': { name: 'Acme: Bank', label: 'Acme Bank' },
    'a colon already escaped': { name: 'Acme%3ABank', label: 'Acme%3ABank' },
    'an emoji': { name: 'Acme 🦉', label: 'Acme 🦉' },
    'right-to-left marks': { name: '\u202eemcA\u202c\u200f', label: 'emcA' },
    'another secret': { name: 'a&secret=AAAA', label: 'a&secret=AAAA' },
    'a query': { name: 'a?secret=AAAA#b', label: 'a?secret=AAAA#b' },
    'a percent sign': { name: '100%', label: '100%' },
    'a percent sign and digits': { name: '%26secret%3DAAAA', label: '%26secret%3DAAAA' },
    spaces: { name: '  Acme   Ltd  ', label: 'Acme Ltd' },
    'a plus': { name: 'ada+totp@acme.example', label: 'ada+totp@acme.example' },
    'slashes and dots': { name: '../../hotp/x', label: '../../hotp/x' },
    'a backslash': { name: 'a\\b', label: 'a\\b' },
    'line breaks and a NUL byte': { name: 'a\r\nb\u0000c\u2028d\u2029e', label: 'a b c d e' },
    'half a character': { name: 'a\ud83db', label: 'a b' },
    '4 KB': { name: 'x'.repeat(4096), label: 'x'.repeat(64) },
    '4 KB of emojis': { name: '🦉'.repeat(1024), label: '🦉'.repeat(16) },
  }
  for (const [what, { name, label }] of Object.entries(names)) {
    it(`holds one secret and one issuer when a name has ${what}`, () => {
      const { uri, url, label: shown, parameters } = parsed(name, name)
      expect(url.protocol).to.equal('otpauth:')
      expect(url.host).to.equal('totp')
      expect(url.hash).to.equal('')
      expect(parameters).to.deep.equal([
        ['secret', KEY],
        ['issuer', label],
        ['algorithm', 'SHA1'],
        ['digits', '6'],
        ['period', '30'],
      ])
      expect(shown.split(':').map(decodeURIComponent)).to.deep.equal([label, label])
      expect(uri)
        .to.match(/^[\x21-\x7e]+$/)
        .and.not.include('+')
    })
  }

  it('keeps these promises for any names', () => {
    const name = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }))
    fc.assert(
      fc.property(name, name, (issuer, account) => {
        const { uri, label, parameters } = parsed(issuer, account)
        expect(parameters.map(([key]) => key).join()).to.equal(
          'secret,issuer,algorithm,digits,period',
        )
        expect(label.split(':').map(decodeURIComponent)).to.deep.equal([
          labelOf(issuer),
          labelOf(account),
        ])
        expect(uri.length).to.be.below(800)
        expect(uri).not.to.include('+')
      }),
    )
  })
})

describe('a label', () => {
  it('has at most 64 characters and no space at either end', () => {
    expect(labelOf('x'.repeat(64))).to.equal('x'.repeat(64))
    expect(labelOf(`  ${'x'.repeat(64)}`)).to.equal('x'.repeat(64))
    expect(labelOf('x'.repeat(65))).to.equal('x'.repeat(64))
    expect(labelOf(`${'x'.repeat(63)} yz`)).to.equal('x'.repeat(63))
  })

  it('has at most 192 characters in an address, so that its QR code can be scanned', () => {
    expect(labelOf('🦉'.repeat(17))).to.equal('🦉'.repeat(16))
    expect(labelOf('ж'.repeat(33))).to.equal('ж'.repeat(32))
    expect(labelOf(`${'x'.repeat(63)}🦉`)).to.equal(`${'x'.repeat(63)}🦉`)
  })

  it('loses each character that changes how the others are shown', () => {
    for (const odd of [
      '\u0000',
      '\u001b',
      '\u007f',
      '\u0085',
      '\u200b',
      '\u202e',
      '\u2066',
      '\ufeff',
    ]) {
      expect(labelOf(`a${odd}b`), JSON.stringify(odd)).to.equal('a b')
      expect(labelOf(`a${odd}${odd}b${odd}`)).to.equal('a b')
    }
  })

  it('keeps the letters of all languages', () => {
    for (const name of ['Müller & Söhne', 'Банк', '銀行', 'بنك', "O'Neill (admin)", 'é\u0301']) {
      expect(labelOf(name)).to.equal(name)
    }
  })

  it('may be empty', () => {
    expect(labelOf('')).to.equal('')
    expect(labelOf(' :\u0000')).to.equal('')
  })
})

describe('a secret as it is shown', () => {
  it('is base32 without padding, as in RFC 4648, section 10', () => {
    const vectors = { f: 'MY', fo: 'MZXQ', foo: 'MZXW6', foob: 'MZXW6YQ', fooba: 'MZXW6YTB' }
    for (const [plain, written] of Object.entries(vectors)) {
      expect(base32Of(Buffer.from(plain))).to.equal(written)
    }
    expect(base32Of(Buffer.from('foobar'))).to.equal('MZXW6YTBOI')
    expect(base32Of(SECRET)).to.equal(KEY)
  })
})
