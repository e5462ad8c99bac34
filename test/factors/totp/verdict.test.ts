import { createHmac } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { generateSync } from 'otplib'
import { codeAt } from '../../../lib/factors/otp/code-at.js'
import type { OtpParameters } from '../../../lib/factors/otp/parameters.js'
import { nextTotpAt } from '../../../lib/factors/totp/page.js'
import { matchCode, stepsOff } from '../../../lib/factors/totp/verdict.js'
import { codeOf, NOW, PARAMETERS, SECRET, STEP_NOW, wrongCode } from '../../support/records.js'

const seconds = 1000

function match(code: string, at: { lastStep?: number; window?: number; now?: number } = {}) {
  return matchCode(code, SECRET, PARAMETERS, {
    lastStep: -1,
    offset: 0,
    window: 1,
    now: NOW,
    ...at,
  })
}

/** RFC 4226 §5.3 once more, for secrets of which the package makes no code. */
function plainHotp(step: number, secret: Uint8Array, { algorithm, digits }: OtpParameters): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac(algorithm, secret).update(counter).digest()
  const number = mac.readUInt32BE((mac.at(-1) ?? 0) & 15) & 0x7fffffff
  return String(number % 10 ** digits).padStart(digits, '0')
}

describe('the codes of an authenticator', () => {
  it('are those of RFC 4226, appendix D', () => {
    const codes = Array.from({ length: 10 }, (_, counter) => codeAt(counter, SECRET, PARAMETERS))
    expect(codes).to.deep.equal([
      '755224',
      '287082',
      '359152',
      '969429',
      '338314',
      '254676',
      '287922',
      '162583',
      '399871',
      '520489',
    ])
  })

  const seeds = {
    sha1: '12345678901234567890',
    sha256: '12345678901234567890123456789012',
    sha512: '1234567890123456789012345678901234567890123456789012345678901234',
  }
  const appendixB = [
    { at: 59, sha1: '94287082', sha256: '46119246', sha512: '90693936' },
    { at: 1111111109, sha1: '07081804', sha256: '68084774', sha512: '25091201' },
    { at: 1111111111, sha1: '14050471', sha256: '67062674', sha512: '99943326' },
    { at: 1234567890, sha1: '89005924', sha256: '91819424', sha512: '93441116' },
    { at: 2000000000, sha1: '69279037', sha256: '90698825', sha512: '38618901' },
    { at: 20000000000, sha1: '65353130', sha256: '77737706', sha512: '47863826' },
  ]
  for (const algorithm of ['sha1', 'sha256', 'sha512'] as const) {
    it(`are those of RFC 6238, appendix B, with ${algorithm} and 8 digits`, () => {
      const secret = Buffer.from(seeds[algorithm])
      const parameters: OtpParameters = { algorithm, digits: 8, period: 30 }
      for (const vector of appendixB) {
        const at = { lastStep: -1, offset: 0, window: 0, now: vector.at * seconds }
        const step = Math.floor(vector.at / 30)
        expect(codeAt(step, secret, parameters)).to.equal(vector[algorithm])
        expect(matchCode(vector[algorithm], secret, parameters, at)).to.deep.equal({
          kind: 'match',
          step,
        })
      }
    })
  }

  it('are those of otplib, and of a second, plain implementation, for any secret, step and parameters', () => {
    const parameters = fc.record({
      algorithm: fc.constantFrom('sha1', 'sha256', 'sha512'),
      digits: fc.constantFrom(6, 7, 8),
      period: fc.constant(30),
    })
    const secret = fc.uint8Array({ minLength: 16, maxLength: 64 })
    fc.assert(
      fc.property(fc.maxSafeNat(), secret, parameters, (step, bytes, chosen) => {
        const { algorithm, digits } = chosen
        const asked = { strategy: 'hotp', secret: bytes, counter: step, algorithm, digits } as const
        expect(codeAt(step, bytes, chosen)).to.equal(generateSync(asked))
        expect(codeAt(step, bytes, chosen)).to.equal(plainHotp(step, bytes, chosen))
      }),
    )
  })

  it('are made of no secret below 112 bits, and of no step that is none', () => {
    for (const length of [0, 1, 13]) {
      expect(() => codeAt(STEP_NOW, new Uint8Array(length), PARAMETERS)).to.throw(RangeError)
    }
    for (const step of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(() => codeAt(step, SECRET, PARAMETERS)).to.throw(RangeError)
    }
  })
})

describe('matching a code', () => {
  for (const window of [0, 1, 2]) {
    it(`accepts exactly the steps within a window of ${window} and says which it was`, () => {
      for (let offset = -4; offset <= 4; offset += 1) {
        const step = STEP_NOW + offset
        const expected = Math.abs(offset) <= window ? { kind: 'match', step } : { kind: 'mismatch' }
        expect(match(codeOf(step), { window }), `offset ${offset}`).to.deep.equal(expected)
      }
    })
  }

  it('changes the step at the millisecond in which a period begins', () => {
    const at = (now: number) => match(codeOf(STEP_NOW), { window: 0, now }).kind
    expect(at(NOW - 1)).to.equal('mismatch')
    expect(at(NOW)).to.equal('match')
    expect(at(NOW + 30 * seconds - 1)).to.equal('match')
    expect(at(NOW + 30 * seconds)).to.equal('mismatch')
  })

  it('goes by the period of the authenticator', () => {
    const parameters: OtpParameters = { ...PARAMETERS, period: 60 }
    const at = { lastStep: -1, offset: 0, window: 0, now: NOW }
    const step = STEP_NOW / 2
    expect(matchCode(codeOf(step), SECRET, parameters, at)).to.deep.equal({ kind: 'match', step })
  })

  it('asks for no step before 1970', () => {
    expect(match('755224', { window: 2, now: 0 })).to.deep.equal({ kind: 'match', step: 0 })
    expect(match('000000', { window: 2, now: 0 })).to.deep.equal({ kind: 'mismatch' })
  })

  it('keeps leading zeros: the code without them is another one', () => {
    const at = { now: 1111111109 * seconds }
    expect(match('081804', at).kind).to.equal('match')
    for (const shortened of ['81804', ' 81804', '0081804', '804', '']) {
      expect(match(shortened, at).kind, `"${shortened}"`).to.equal('mismatch')
    }
  })

  it('refuses what is no code at all without throwing', () => {
    for (const odd of [
      '',
      '12345',
      '1234567',
      '１２３４５６',
      '\0\0\0\0\0\0',
      'a'.repeat(10_240),
    ]) {
      expect(match(odd).kind).to.equal('mismatch')
    }
  })

  it('refuses a code made from the empty key', () => {
    // passport-totp let un-enrolled users in with it: anybody can make this code.
    const code = plainHotp(STEP_NOW, new Uint8Array(0), PARAMETERS)
    expect(match(code, { window: 2 }).kind).to.equal('mismatch')
    expect(() =>
      matchCode(code, new Uint8Array(0), PARAMETERS, {
        lastStep: -1,
        offset: 0,
        window: 1,
        now: NOW,
      }),
    ).to.throw(Error)
  })

  it('refuses a code made from another key', () => {
    const other = Buffer.from('12345678901234567891')
    expect(match(codeAt(STEP_NOW, other, PARAMETERS)).kind).to.equal('mismatch')
  })
})

describe('a code that was seen before', () => {
  it('is a replay when it is that of the last accepted step', () => {
    expect(match(codeOf(STEP_NOW), { lastStep: STEP_NOW })).to.deep.equal({ kind: 'replay' })
  })

  it('is a replay when its step lies before the last accepted one, though in the window', () => {
    for (const step of [STEP_NOW - 2, STEP_NOW - 1, STEP_NOW]) {
      expect(match(codeOf(step), { lastStep: STEP_NOW + 1, window: 2 }).kind).to.equal('replay')
    }
  })

  it('stays a replay, not a guess, however old the last accepted step is', () => {
    for (const age of [3, 100, STEP_NOW]) {
      const lastStep = STEP_NOW - age
      expect(match(codeOf(lastStep), { lastStep }), `${age} steps`).to.deep.equal({
        kind: 'replay',
      })
    }
  })

  it('is a mere mismatch outside the window when another step was the last accepted one', () => {
    expect(match(codeOf(STEP_NOW - 10), { lastStep: STEP_NOW - 9 }).kind).to.equal('mismatch')
  })

  it('leaves the next step open: each later one is accepted once', () => {
    let lastStep = -1
    for (const step of [STEP_NOW - 1, STEP_NOW, STEP_NOW + 1]) {
      const accepted = match(codeOf(step), { lastStep })
      expect(accepted).to.deep.equal({ kind: 'match', step })
      lastStep = step
      expect(match(codeOf(step), { lastStep }).kind).to.equal('replay')
    }
  })

  it('is refused even where chance gives a later step the same code', () => {
    // Steps 910737 and 910738 of this secret share a code; so do 153567 and 153569. Somebody who
    // watched the first being typed must not get in with it half a minute later.
    for (const [first, second] of [
      [910737, 910738],
      [153567, 153569],
    ] as const) {
      expect(codeOf(first)).to.equal(codeOf(second))
      const now = second * 30 * seconds
      expect(match(codeOf(second), { now }).kind).to.equal('match')
      expect(match(codeOf(second), { now, lastStep: first })).to.deep.equal({ kind: 'replay' })
    }
  })

  it('does not make a wrong code look like a replay', () => {
    const code = wrongCode(NOW, STEP_NOW)
    expect(match(code, { lastStep: STEP_NOW })).to.deep.equal({ kind: 'mismatch' })
  })
})

describe('how far a device’s clock is off', () => {
  const off = (code: string, now = NOW, parameters = PARAMETERS) =>
    stepsOff(code, SECRET, parameters, now)

  it('is told by the step that has the code, ahead or behind', () => {
    for (let step = 1; step <= 20; step += 1) {
      expect(off(codeOf(STEP_NOW + step))).to.equal(step)
      expect(off(codeOf(STEP_NOW - step))).to.equal(-step)
    }
  })

  it('is not told beyond ten minutes, nor by a code of no step at all', () => {
    expect(off(codeOf(STEP_NOW + 21))).to.equal(null)
    expect(off(codeOf(STEP_NOW - 21))).to.equal(null)
    for (const code of ['', '12345', 'abcdef', '1234567']) expect(off(code)).to.equal(null)
  })

  it('is ten minutes at most for any period', () => {
    const minute = { ...PARAMETERS, period: 60 }
    const current = STEP_NOW / 2
    expect(off(codeOf(current + 10), NOW, minute)).to.equal(10)
    expect(off(codeOf(current + 11), NOW, minute)).to.equal(null)
  })

  it('asks for no step before 1970', () => {
    expect(off(codeOf(3), 0)).to.equal(3)
    expect(off('000000', 0)).to.equal(null)
  })
})

describe('the wait for a code that was not used yet', () => {
  const at = (step: number, seconds: number) => (step * 30 + seconds) * 1000

  it('lasts to the end of the step whose code was used, to the millisecond', () => {
    expect(nextTotpAt({ lastStep: 100, period: 30, offset: 0 }, at(100, 12))).to.equal(at(101, 0))
    expect(nextTotpAt({ lastStep: 100, period: 30, offset: 0 }, at(101, 0) - 1)).to.equal(
      at(101, 0),
    )
    expect(nextTotpAt({ lastStep: 100, period: 30, offset: 0 }, at(101, 0))).to.equal(null)
  })

  it('lasts a step longer where the device is ahead and its next code was used', () => {
    expect(nextTotpAt({ lastStep: 101, period: 30, offset: 0 }, at(100, 12))).to.equal(at(102, 0))
  })

  it('is none before the first code', () => {
    expect(nextTotpAt({ lastStep: -1, period: 30, offset: 0 }, at(100, 12))).to.equal(null)
  })
})
