import { createCipheriv, createHmac } from 'node:crypto'
import { expect } from 'chai'
import * as figures from '../support/rfc6030-figures.js'
import { entriesOf, faultsIn, type Reading, tokensIn } from '../support/token-files.js'

const SEED = '12345678901234567890'
const KEY = figures.FIGURE_6_KEY

/** What a file has, in short: tokens and faults. */
async function inShort(file: string, reading?: Reading) {
  const entries = await entriesOf(file, reading)
  return { tokens: tokensIn(entries), faults: faultsIn(entries) }
}

/** A container of one TOTP token, with what a test is about in the places of others. */
function oneToken({ data = '', key = '', policy = '', algorithm = 'totp', before = '' }): string {
  return `<?xml version="1.0"?>
<p:KeyContainer Version="1.0" xmlns:p="urn:ietf:params:xml:ns:keyprov:pskc"
  xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:xenc="http://www.w3.org/2001/04/xmlenc#">
  ${before}
  <p:KeyPackage>
    <p:DeviceInfo><p:SerialNo>T-1</p:SerialNo></p:DeviceInfo>
    <p:Key Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:${algorithm}">
      ${key || '<p:AlgorithmParameters><p:ResponseFormat Length="6" Encoding="DECIMAL"/></p:AlgorithmParameters>'}
      <p:Data>${data || `<p:Secret><p:PlainValue>${base64(SEED)}</p:PlainValue></p:Secret>`}</p:Data>
      ${policy}
    </p:Key>
  </p:KeyPackage>
</p:KeyContainer>`
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

describe('a PSKC file', () => {
  describe('of RFC 6030', () => {
    it('is refused in figure 2, whose seed is too short', async () => {
      expect(await inShort(figures.FIGURE_2)).to.deep.equal({
        ...{ tokens: [], faults: ['3 secret too-short'] },
      })
    })

    it('has the token of figure 3, and its user', async () => {
      const [entry] = await entriesOf(figures.FIGURE_3)
      expect(entry).to.deep.equal({
        ...{ kind: 'token', line: 3, user: 'jsmith' },
        token: {
          ...{ serial: '987654321', type: 'hotp', algorithm: 'sha1', digits: 8, counter: 0 },
          secret: Buffer.from(SEED),
        },
      })
    })

    it('has no seed in figure 4', async () => {
      const { tokens, faults } = await inShort(figures.FIGURE_4)
      expect({ tokens, faults }).to.deep.equal({ tokens: [], faults: ['3 secret missing'] })
    })

    it('has one token in figure 5; a PIN is none', async () => {
      const { tokens, faults } = await inShort(figures.FIGURE_5)
      expect(tokens).to.deep.equal([`3 987654321 - ${SEED}`])
      expect(faults).to.deep.equal(['22 type malformed'])
    })

    it('is decrypted in figure 6, with the pre-shared key', async () => {
      const { tokens, faults } = await inShort(figures.FIGURE_6, { key: KEY })
      expect({ tokens, faults }).to.deep.equal({
        ...{ tokens: [`14 987654321 - ${SEED}`], faults: [] },
      })
    })

    it('is refused in figures 7 and 8, which need a password or a private key', async () => {
      for (const figure of [figures.FIGURE_7, figures.FIGURE_8]) {
        const { tokens, faults } = await inShort(figure, { key: KEY })
        expect({ tokens, fault: faults.map((one) => one.split(' ')[1]) }).to.deep.equal({
          ...{ tokens: [], fault: ['encryption'] },
        })
      }
    })

    it('has the token of figure 9, and a signature that is not checked', async () => {
      const { tokens, faults } = await inShort(figures.FIGURE_9)
      expect(tokens).to.deep.equal([`3 0755225266 - ${SEED}`])
      expect(faults).to.deep.equal(['17 signed'])
    })

    it('has the tokens of figure 10 that have not expired', async () => {
      const { tokens, faults } = await inShort(figures.FIGURE_10)
      expect(tokens.map((token) => token.split(' ')[1])).to.deep.equal(['654321', '123456'])
      expect(faults.map((fault) => fault.split(' ')[1])).to.deep.equal(['expired', 'expired'])
    })

    it('has in figure 10 a serial number twice, of which the first counts', async () => {
      const april = figures.FIGURE_10.replaceAll(
        /<ExpiryDate>2006-03-31/g,
        '<ExpiryDate>2006-05-31',
      )
      const { tokens, faults } = await inShort(april.replaceAll('2006-04-30', '2006-05-31'))
      expect(tokens).to.have.length(3)
      expect(faults.map((fault) => fault.split(' ')[1])).to.deep.equal(['already-in-file'])
    })
  })

  it('has a TOTP token with its hash and interval, under any prefix', async () => {
    const key = `<p:AlgorithmParameters><p:Suite>HMAC-SHA256</p:Suite>
      <p:ResponseFormat Length="8" Encoding="DECIMAL"/></p:AlgorithmParameters>`
    const data = `<p:Secret><p:PlainValue>${base64(SEED)}</p:PlainValue></p:Secret>
      <p:Time><p:PlainValue>0</p:PlainValue></p:Time>
      <p:TimeInterval><p:PlainValue>60</p:PlainValue></p:TimeInterval>`
    const [entry] = await entriesOf(oneToken({ key, data }))
    expect(entry).to.deep.include({ kind: 'token', user: null })
    expect(entry)
      .to.have.property('token')
      .that.includes({
        ...{ serial: 'T-1', type: 'totp', algorithm: 'sha256', digits: 8, period: 60 },
      })
  })

  it('is read from a file with a byte order mark, with CRLF, and in UTF-16', async () => {
    const windows = figures.FIGURE_3.replaceAll('\n', '\r\n')
    for (const file of [`\ufeff${figures.FIGURE_3}`, windows]) {
      expect((await inShort(file)).tokens, file.slice(0, 9)).to.have.length(1)
    }
    const utf16 = Buffer.from(`\ufeff${figures.FIGURE_3}`, 'utf16le')
    for (const size of [1, 3, 4096]) {
      expect(tokensIn(await entriesOf(utf16, { size }))).to.have.length(1)
    }
  })

  it('is read the same in pieces of any size', async () => {
    for (const size of [1, 2, 64, 1e6]) {
      expect((await inShort(figures.FIGURE_10, { size })).tokens, `${size}`).to.have.length(2)
    }
  })

  describe('that was changed on its way', () => {
    const cases: readonly (readonly [string, string, string])[] = [
      ['another MAC', figures.FIGURE_6.replace('Su+NvtQf', 'Su+NvtQg'), 'mac-wrong'],
      ['a MAC that is half as long', figures.FIGURE_6.replace(/Su\+N[^<]+/, 'Su+N'), 'mac-wrong'],
      ['a MAC that is no base64', figures.FIGURE_6.replace(/Su\+N[^<]+/, '***'), 'mac-wrong'],
      [
        'no MAC, although one is declared',
        figures.FIGURE_6.replace(figures.FIGURE_6_MAC, ''),
        'mac-missing',
      ],
      [
        'no method of the MAC',
        figures.FIGURE_6.replace(/<MACMethod[\s\S]*<\/MACMethod>/, ''),
        'mac-missing',
      ],
      ['an unknown MAC', figures.FIGURE_6.replace('#hmac-sha1', '#hmac-md5'), 'mac-unknown'],
      ['another seed', figures.FIGURE_6.replace('AAECAwQF', 'AAECAwQG'), 'mac-wrong'],
      [
        'a cipher that is not supported',
        figures.FIGURE_6.replaceAll('aes128-cbc', 'tripledes-cbc'),
        'encryption',
      ],
    ]
    for (const [what, file, fault] of cases) {
      it(`gives no token with ${what}`, async () => {
        const { tokens, faults } = await inShort(file, { key: KEY })
        expect({ tokens, fault: faults.map((one) => one.split(' ')[1]) }).to.deep.equal({
          ...{ tokens: [], fault: [fault] },
        })
      })
    }

    it('gives no token with a MAC of a plain value, which nobody can check', async () => {
      const data = `<p:Secret><p:PlainValue>${base64(SEED)}</p:PlainValue>
        <p:ValueMAC>Su+NvtQfmvfJzF6bmQiJqoLRExc=</p:ValueMAC></p:Secret>`
      expect((await inShort(oneToken({ data }))).faults).to.deep.equal(['5 mac-wrong'])
    })
  })

  // The attack: whoever can change a file that is encrypted puts a seed of their own into it, in the clear.
  describe('in which somebody has put a plain seed', () => {
    const plain = `<Secret><PlainValue>${base64('their seed, known well')}</PlainValue></Secret>`
    const encrypted = /<Secret>[\s\S]*<\/Secret>/

    it('gives no token, as it says to be encrypted', async () => {
      const file = figures.FIGURE_6.replace(encrypted, plain)
      for (const key of [KEY, null]) {
        const { tokens, faults } = await inShort(file, { key })
        expect({ tokens, faults }).to.deep.equal({ tokens: [], faults: ['14 plain-seed'] })
      }
    })

    it('gives no token, as it declares a MAC', async () => {
      const file = figures.FIGURE_6.replace(encrypted, plain).replace(/<EncryptionKey>.*/, '')
      const { tokens, faults } = await inShort(file)
      expect({ tokens, faults }).to.deep.equal({ tokens: [], faults: ['14 plain-seed'] })
    })

    it('gives no token, as the operator has a key for it', async () => {
      const { tokens, faults } = await inShort(figures.FIGURE_3, { key: KEY })
      expect({ tokens, faults }).to.deep.equal({ tokens: [], faults: ['3 plain-seed'] })
      const csv = `serial,secret,type\nT-1,${Buffer.from(SEED).toString('hex')},totp\n`
      const read = await inShort(csv, { key: KEY })
      expect(read).to.deep.equal({ tokens: [], faults: ['1 plain-seed'] })
    })
  })

  it('gives no token of a device that has expired', async () => {
    const dated = (element: string, date: string) =>
      figures.FIGURE_3.replace('<UserId>', `<${element}>${date}</${element}><UserId>`)
    for (const [element, date, fault] of [
      ['ExpiryDate', '2006-05-01T00:00:00Z', 'expired'],
      ['StartDate', '2006-06-01T00:00:00Z', 'not-valid-yet'],
      ['ExpiryDate', 'soon', 'policy'],
    ] as const) {
      expect((await inShort(dated(element, date))).faults).to.deep.equal([`3 ${fault}`])
    }
    expect((await inShort(dated('ExpiryDate', '2007-01-01T00:00:00Z'))).tokens).to.have.length(1)
  })

  it('gives no token without the key, or with another', async () => {
    const [none, other, long] = [null, Buffer.alloc(16, 7), Buffer.alloc(32, 7)]
    const faults = [none, other, long].map(async (key) => {
      const { tokens, faults: found } = await inShort(figures.FIGURE_6, { key })
      return [...tokens, ...found]
    })
    const [without, wrong, tooLong] = await Promise.all(faults)
    expect(without).to.deep.equal(['14 no-key'])
    expect(wrong?.join()).to.match(/^14 (mac-wrong|padding)$/)
    expect(tooLong).to.deep.equal(['14 key-size'])
  })

  it('is decrypted with AES-256, a MAC of SHA-256 by the same key, and padding of any bytes', async () => {
    const [key, iv] = [Buffer.alloc(32, 9), Buffer.alloc(16, 3)]
    const cipher = createCipheriv('aes-256-cbc', key, iv).setAutoPadding(false)
    // XML Encryption §5.2: only the last byte of the padding has a meaning.
    const padded = Buffer.concat([
      Buffer.from(SEED),
      Buffer.from('random bytes'.slice(1)),
      Buffer.of(12),
    ])
    const value = Buffer.concat([iv, cipher.update(padded), cipher.final()])
    const mac = createHmac('sha256', key).update(value).digest('base64')
    const before = `<p:EncryptionKey><ds:KeyName>ours</ds:KeyName></p:EncryptionKey>
      <p:MACMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"/>`
    const data = `<p:Secret><p:EncryptedValue>
      <xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes256-cbc"/>
      <xenc:CipherData><xenc:CipherValue>${value.toString('base64')}</xenc:CipherValue></xenc:CipherData>
      </p:EncryptedValue><p:ValueMAC>${mac}</p:ValueMAC></p:Secret>`
    const { tokens, faults } = await inShort(oneToken({ before, data }), { key })
    expect({ tokens, faults }).to.deep.equal({ tokens: [`6 T-1 - ${SEED}`], faults: [] })
  })

  describe('whose token cannot be used', () => {
    const format = (attributes: string) =>
      `<p:AlgorithmParameters><p:ResponseFormat ${attributes}/></p:AlgorithmParameters>`
    const secretAnd = (more: string) =>
      `<p:Secret><p:PlainValue>${base64(SEED)}</p:PlainValue></p:Secret>${more}`
    const cases: readonly (readonly [string, Parameters<typeof oneToken>[0], string])[] = [
      ['an unknown algorithm', { algorithm: 'ocra' }, 'type malformed'],
      [
        'a hash that is not known',
        { key: '<p:AlgorithmParameters><p:Suite>MD5</p:Suite></p:AlgorithmParameters>' },
        'algorithm malformed',
      ],
      ['codes of 5 digits', { key: format('Length="5" Encoding="DECIMAL"') }, 'digits malformed'],
      ['codes in hex', { key: format('Length="6" Encoding="HEXADECIMAL"') }, 'not-decimal'],
      [
        'a check digit',
        { key: format('Length="6" Encoding="DECIMAL" CheckDigits="true"') },
        'not-decimal',
      ],
      [
        'an interval of 0',
        { data: secretAnd('<p:TimeInterval><p:PlainValue>0</p:PlainValue></p:TimeInterval>') },
        'period malformed',
      ],
      [
        'a counter of −1',
        {
          algorithm: 'hotp',
          data: secretAnd('<p:Counter><p:PlainValue>-1</p:PlainValue></p:Counter>'),
        },
        'counter malformed',
      ],
      [
        'a counter of 2^64',
        {
          algorithm: 'hotp',
          data: secretAnd(
            '<p:Counter><p:PlainValue>18446744073709551616</p:PlainValue></p:Counter>',
          ),
        },
        'counter malformed',
      ],
      [
        'an encrypted counter',
        { algorithm: 'hotp', data: secretAnd('<p:Counter><p:EncryptedValue/></p:Counter>') },
        'encrypted-field',
      ],
      [
        'a seed that is no base64',
        { data: '<p:Secret><p:PlainValue>12-45</p:PlainValue></p:Secret>' },
        'not-base64',
      ],
      [
        'a PIN in its codes',
        { policy: '<p:Policy><p:PINPolicy PINUsageMode="Append"/></p:Policy>' },
        'pin',
      ],
      [
        'a use for encryption alone',
        { policy: '<p:Policy><p:KeyUsage>Encrypt</p:KeyUsage></p:Policy>' },
        'policy',
      ],
      [
        'a policy that nobody knows',
        { policy: '<p:Policy><p:MoonPhase>new</p:MoonPhase></p:Policy>' },
        'policy',
      ],
      [
        'a date that is none',
        { policy: '<p:Policy><p:ExpiryDate>never</p:ExpiryDate></p:Policy>' },
        'policy',
      ],
      [
        'a start to come',
        { policy: '<p:Policy><p:StartDate>2037-01-01T00:00:00Z</p:StartDate></p:Policy>' },
        'not-valid-yet',
      ],
    ]
    for (const [what, parts, fault] of cases) {
      it(`tells of ${what}`, async () => {
        const { tokens, faults } = await inShort(oneToken(parts))
        expect({ tokens, faults }).to.deep.equal({ tokens: [], faults: [`5 ${fault}`] })
      })
    }
  })

  it('gives the tokens before the place where it was cut short', async () => {
    const half = figures.FIGURE_10.indexOf('9999999')
    const { tokens, faults } = await inShort(figures.FIGURE_10.slice(0, half))
    expect(tokens).to.have.length(2)
    expect(faults).to.have.length(1)
    expect(faults[0]).to.match(/^\d+ cut-short$/)
  })

  it('gives the tokens before the place where it is no XML', async () => {
    const { tokens, faults } = await inShort(figures.FIGURE_10.replace('</KeyContainer>', '</Key>'))
    expect(tokens).to.have.length(2)
    expect(faults.at(-1)).to.match(/ xml$/)
  })

  it('is none if it is other XML', async () => {
    expect((await inShort('<html></html>')).faults).to.deep.equal(['1 not-pskc'])
    const other = '<KeyContainer xmlns="urn:example:other"></KeyContainer>'
    expect((await inShort(other)).faults).to.deep.equal(['1 not-pskc'])
  })
})
