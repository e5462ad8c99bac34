import { expect } from 'chai'
import fc from 'fast-check'
import { hasWeakSeed, readHardwareToken } from '../../lib/factors/hardware-token.js'
import { base32Of } from '../../lib/factors/otp/base32.js'
import { readSeed } from '../../lib/factors/seed.js'

const SEED = Buffer.from('12345678901234567890')
const GIVEN = { serial: 'FT-1', type: 'totp', secret: base32Of(SEED) }

describe('a hardware token, as it is given', () => {
  it('is 6 digits of SHA-1 in 30 seconds, if nothing else is said', () => {
    expect(readHardwareToken(GIVEN)).to.deep.equal({
      ...{ serial: 'FT-1', type: 'totp', secret: Uint8Array.from(SEED) },
      ...{ algorithm: 'sha1', digits: 6, period: 30 },
    })
  })

  it('counts from 0, or from the counter given', () => {
    expect(readHardwareToken({ ...GIVEN, type: 'HOTP' })).to.include({ type: 'hotp', counter: 0 })
    const given = { ...GIVEN, type: 'hotp', counter: '4503599627370496' }
    expect(readHardwareToken(given)).to.include({ counter: 2 ** 52 })
  })

  it('has its algorithm by any of the usual names', () => {
    for (const algorithm of ['SHA256', 'sha-256', 'HmacSHA256', 'HMAC-SHA256']) {
      expect(readHardwareToken({ ...GIVEN, algorithm })).to.include({ algorithm: 'sha256' })
    }
    expect(readHardwareToken({ ...GIVEN, algorithm: 'SHA512' })).to.include({ algorithm: 'sha512' })
  })

  for (const [field, value, why] of [
    ['serial', '', 'missing'],
    ['serial', ' ', 'missing'],
    ['serial', 'A'.repeat(65), 'too-long'],
    ['serial', 'A\u202eB', 'malformed'],
    ['serial', 'A\nB', 'malformed'],
    ['type', '', 'missing'],
    ['type', 'ocra', 'malformed'],
    ['secret', '', 'missing'],
    ['secret', '0O1l8B'.repeat(6), 'malformed'],
    ['secret', 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQA', 'malformed'],
    ['secret', SEED.toString('hex').slice(0, 39), 'malformed'],
    ['secret', SEED.subarray(0, 13).toString('hex'), 'too-short'],
    ['secret', 'ab'.repeat(129), 'too-long'],
    ['algorithm', 'md5', 'malformed'],
    ['algorithm', 'sha3', 'malformed'],
    ['digits', '5', 'malformed'],
    ['digits', '7', 'malformed'],
    ['digits', '6.0', 'malformed'],
    ['period', '0', 'malformed'],
    ['period', '45', 'malformed'],
    ['period', '-30', 'malformed'],
  ] as const) {
    it(`is refused with the ${field} ${JSON.stringify(value.slice(0, 20))}: ${why}`, () => {
      expect(readHardwareToken({ ...GIVEN, [field]: value })).to.deep.equal({ field, why })
    })
  }

  it('is refused with a counter of −1, of 2^64, or that ends before all codes', () => {
    for (const counter of ['-1', '18446744073709551616', '4503599627370497', '1e3', 'x']) {
      const read = readHardwareToken({ ...GIVEN, type: 'hotp', counter })
      expect(read, counter).to.deep.equal({ field: 'counter', why: 'malformed' })
    }
  })

  it('works with a seed of 112 bits, which is weak; one of 160 bits is not', () => {
    const weak = readHardwareToken({ ...GIVEN, secret: SEED.subarray(0, 14) })
    const enough = readHardwareToken(GIVEN)
    expect('secret' in weak && hasWeakSeed(weak)).to.equal(true)
    expect('secret' in enough && hasWeakSeed(enough)).to.equal(false)
  })
})

describe("a token's seed", () => {
  it('is read in base32 and in hex, grouped or not, in both cases', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 14, maxLength: 128 }), (bytes) => {
        const [base32, hex] = [base32Of(bytes), Buffer.from(bytes).toString('hex')]
        fc.pre(!/^[A-F2-7]+$/.test(base32))
        const grouped = base32.replace(/(.{4})/g, '$1 ').toLowerCase()
        const padded = base32.padEnd(Math.ceil(base32.length / 8) * 8, '=')
        for (const text of [base32, hex, grouped, padded, hex.toUpperCase()]) {
          expect(readSeed(text)).to.deep.equal(bytes)
        }
      }),
    )
  })

  it('is none if the text was cut short in the middle of a byte', () => {
    for (const length of [17, 19, 22, 25, 27, 30]) {
      expect(readSeed('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'.slice(0, length))).to.equal(null)
    }
  })
})
