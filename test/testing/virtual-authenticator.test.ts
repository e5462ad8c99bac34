import { expect } from 'chai'
import { otpauthUri } from '../../lib/factors/otp/otpauth-uri.js'
import { virtualAuthenticator } from '../../lib/testing/index.js'

// RFC 6238 appendix B: the ASCII secret 12345678901234567890 at 59 s, 8 digits.
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const SHA512_SECRET =
  'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNA'

describe('virtualAuthenticator', () => {
  it('shows the codes of RFC 6238, from the address in a QR code', () => {
    const sha1 = { algorithm: 'sha1', digits: 8, period: 30 } as const
    const app = virtualAuthenticator(otpauthUri('Acme', 'ada', SECRET, sha1))
    expect(app.code(59_000)).to.equal('94287082')
    expect(app.code(new Date(1_111_111_109_000))).to.equal('07081804')
  })

  it('takes algorithm and digits from the address', () => {
    const sha512 = { algorithm: 'sha512', digits: 8, period: 30 } as const
    const app = virtualAuthenticator(otpauthUri('Acme', 'ada', SHA512_SECRET, sha512))
    expect(app.code(59_000)).to.equal('90693936')
  })

  it('takes the key as a page shows it', () => {
    expect(virtualAuthenticator('gezd gnbv gy3t qojq GEZD-GNBV-GY3T-QOJQ').code(59_000)).to.equal(
      '287082',
    )
  })

  it('gives another code each time it is asked for the next', () => {
    const app = virtualAuthenticator(SECRET)
    const codes = [app.next(), app.next(), app.next()]
    expect(new Set(codes).size).to.equal(3)
  })

  // A host's test signs in by `code()`, then steps up by `next()`: the same code would be refused.
  it('gives no code as the next that it has shown before', () => {
    const app = virtualAuthenticator(SECRET)
    const now = Date.now()
    const shown = [app.code(), app.code(now), app.code(now + 30_000), app.code(new Date(now))]
    const next = [app.next(), app.next(), app.next()]
    expect(new Set([...shown, ...next]).size).to.equal(new Set(shown).size + 3)
  })

  it('gives the next of a clock that was moved', () => {
    const app = virtualAuthenticator(SECRET)
    const later = Date.now() + 3_600_000
    const shown = app.code(later)
    expect(app.next(later))
      .to.equal(app.code(later + 30_000))
      .and.not.equal(shown)
  })

  // RFC 4226, appendix D.
  it('shows the codes of a device with a button, one a press', () => {
    const fob = virtualAuthenticator(`otpauth://hotp/Acme:ada?secret=${SECRET}&counter=3`)
    expect([fob.code(), fob.code(), fob.next(), fob.code(), fob.next()]).to.deep.equal([
      ...['969429', '969429', '338314', '338314', '254676'],
    ])
    const pressed = virtualAuthenticator(`otpauth://hotp/Acme:ada?secret=${SECRET}&counter=3`)
    expect([pressed.next(), pressed.next()]).to.deep.equal(['969429', '338314'])
  })

  for (const nonsense of [
    '',
    'otpauth://hotp/a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
    'otpauth://hotp/a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&counter=-1',
    'otpauth://totp/a',
    '0189',
    '?',
  ]) {
    it(`refuses ${JSON.stringify(nonsense)}`, () => {
      expect(() => virtualAuthenticator(nonsense)).to.throw(Error)
    })
  }
})
