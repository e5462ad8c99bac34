import { expect } from 'chai'
import fc from 'fast-check'
import { readProof } from '../../lib/factors/factors.js'
import { formatLookUpCode, lookUpCodeFrom } from '../../lib/factors/look-up-code.js'

const BACKUP_CODE = '0123456789ABCDEFGHJKMNPQ'

/** The answer as each factor that knows its shape has read it; null where none does. */
function readCode(code: unknown): Readonly<Record<string, unknown>> | null {
  const proof = readProof({ code })
  return proof && Object.fromEntries(proof.map(({ factor, given }) => [factor.method, given]))
}

/** A code by the time looks like one by a counter. */
function expectOtp(input: string, code: string): void {
  expect(readCode(input), JSON.stringify(input)).to.deep.equal({ totp: code, hotp: code })
}

/** A one-time code looks like a backup code: what was typed may be either. */
function expectBackupCode(input: string, code: string): void {
  const both = { 'one-time-code': code, 'backup-code': code }
  expect(readCode(input), JSON.stringify(input)).to.deep.equal(both)
}

describe('reading a code of the authenticator', () => {
  it('takes 6, 7 and 8 digits as they are, leading zeros too', () => {
    for (const code of ['123456', '1234567', '12345678', '000000', '00000000']) {
      expectOtp(code, code)
    }
  })

  it('forgives spaces and dashes wherever they stand', () => {
    for (const input of [
      '123 456',
      ' 123456',
      '123456 ',
      '123-456',
      '1 2-3  4--56',
      '\t123456\n',
    ]) {
      expectOtp(input, '123456')
    }
  })

  it('forgives the no-break space that a mail program puts in', () => {
    expectOtp('123\u00a0456', '123456')
  })

  it('forgives no letter for a digit', () => {
    for (const input of ['O12345', '12345I', '12345l', 'o12345']) {
      expect(readCode(input), input).to.equal(null)
    }
  })
})

describe('reading a backup code', () => {
  it('takes it with and without its dashes', () => {
    expectBackupCode(BACKUP_CODE, BACKUP_CODE)
    expectBackupCode('012345-6789AB-CDEFGH-JKMNPQ', BACKUP_CODE)
  })

  it('takes all that were ever made', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 15, maxLength: 15 }), (bytes) => {
        const code = lookUpCodeFrom(bytes)
        expectBackupCode(code, code)
        expectBackupCode(formatLookUpCode(code), code)
        expectBackupCode(` ${formatLookUpCode(code).toLowerCase().replaceAll('-', ' ')} `, code)
      }),
    )
  })

  it('takes the whole alphabet', () => {
    expectBackupCode('GHJKMNPQRSTVWXYZ01234567', 'GHJKMNPQRSTVWXYZ01234567')
    expectBackupCode('000000000000000089ABCDEF', '000000000000000089ABCDEF')
  })

  it('takes one that happens to have digits alone', () => {
    expectBackupCode('0'.repeat(24), '0'.repeat(24))
  })

  it('forgives small letters', () => {
    expectBackupCode(BACKUP_CODE.toLowerCase(), BACKUP_CODE)
  })

  it('forgives spaces', () => {
    expectBackupCode(' 012345 6789AB\tCDEFGH  JKMNPQ\r\n', BACKUP_CODE)
  })

  it('forgives O for 0, and I and L for 1, in either case and each time', () => {
    expectBackupCode('Oo0000000000000000000000', '0'.repeat(24))
    expectBackupCode('IiLl11111111111111111111', '1'.repeat(24))
    expectBackupCode('OIlO-oiLo-23456789ABCDEFGH', '0110011023456789ABCDEFGH')
  })

  it('does not take U, which is no character of the alphabet', () => {
    expect(readCode(`${BACKUP_CODE.slice(0, 23)}U`)).to.equal(null)
    expect(readCode(`${BACKUP_CODE.slice(0, 23)}u`)).to.equal(null)
  })
})

describe('malformed input', () => {
  const cases: Record<string, unknown> = {
    'nothing at all': undefined,
    null: null,
    'an empty string': '',
    'spaces and dashes alone': ' - - ',
    'an array with a code': ['123456'],
    'two codes': ['123456', '123456'],
    'an object that reads as a code': { toString: () => '123456' },
    'a String object': Object('123456'),
    'a number': 123456,
    'a big integer': 123456n,
    true: true,
    '5 digits': '12345',
    '9 digits': '123456789',
    '23 characters': BACKUP_CODE.slice(1),
    '25 characters': `${BACKUP_CODE}0`,
    '6 letters': 'ABCDEF',
    'digits with one letter': '12345A',
    'digits with an exponent': '1e5000',
    'a sign': '+123456',
    'a decimal point': '1234.56',
    'a slash': '123/456',
    'an underscore': '123_456',
    'a NUL byte in the middle': '123\u0000456',
    'a NUL byte at the end': '123456\u0000',
    'full-width digits': '１２３４５６',
    'Arabic digits': '١٢٣٤٥٦',
    'a dotless i in a backup code': `ı${BACKUP_CODE.slice(1)}`,
    'a dotless i at the end of a backup code': `${BACKUP_CODE.slice(1)}ı`,
    'a dotless i inside a backup code': `012345-6789ı0-CDEFGH-JKMNPQ`,
    'a long s in a backup code': `ſ${BACKUP_CODE.slice(1)}`,
    'an i with a dot in a backup code': `İ${BACKUP_CODE.slice(1)}`,
    'a small ligature that grows to two letters': `ﬀ${BACKUP_CODE.slice(2)}`,
    'the Kelvin sign in a backup code': `\u212a${BACKUP_CODE.slice(1)}`,
    'a Cyrillic letter that looks like A': `А${BACKUP_CODE.slice(1)}`,
    'an en dash': '123–456',
    'a zero-width space': '123\u200b456',
    'a direction mark': '\u202e123456',
    '10 KB of digits': '1'.repeat(10_240),
    '10 KB of spaces around a code': `${' '.repeat(5_000)}123456${' '.repeat(5_000)}`,
    'a code on two lines with text': 'code: 123456\n',
    'a code and a second one': '123456\n123456',
  }
  for (const [name, input] of Object.entries(cases)) {
    it(`is ${name}`, () => {
      expect(readCode(input)).to.equal(null)
    })
  }

  it('is anything longer than 64 characters, spaces counted', () => {
    expect(readCode(`123456${' '.repeat(58)}`)).to.deep.equal({ hotp: '123456', totp: '123456' })
    expect(readCode(`123456${' '.repeat(59)}`)).to.equal(null)
  })

  it('never throws and never yields anything but the two shapes', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), fc.string({ unit: 'binary', maxLength: 80 })),
        (input) => {
          const typed = readCode(input)
          if (typed === null) return
          const { totp, ...lookUp } = typed
          if (totp !== undefined) expect(totp).to.match(/^[0-9]{6,8}$/)
          for (const code of Object.values(lookUp)) {
            expect(code).to.match(/^[0-9A-HJKMNP-TV-Z]{24}$/)
          }
          expect(totp === undefined).to.equal(Object.keys(lookUp).length === 2)
        },
      ),
    )
  })
})
