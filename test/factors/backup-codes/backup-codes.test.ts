import { expect } from 'chai'
import fc from 'fast-check'
import {
  BACKUP_CODES_IN_A_SET,
  backupCodesLeft,
  canBeRight,
  placeOfBackupCodes,
} from '../../../lib/factors/backup-codes/kept.js'
import { makeBackupCodes } from '../../../lib/factors/backup-codes/make.js'
import {
  BYTES_OF_A_LOOK_UP_CODE,
  formatLookUpCode,
  lookUpCodeFrom,
} from '../../../lib/factors/look-up-code.js'
import { backupCode, judge, keysWith } from '../../support/proofs.js'
import { backupCodeSet, enrolledRecord, KEY_ID, KEY_IDS, NOW } from '../../support/records.js'

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const fifteenBytes = fc.uint8Array({ minLength: 15, maxLength: 15 })

/** The same number, written by division instead of by cutting bits. */
function inBase32(bytes: Uint8Array): string {
  let rest = BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
  let written = ''
  for (let place = 0; place < 24; place += 1) {
    written = CROCKFORD.charAt(Number(rest % 32n)) + written
    rest /= 32n
  }
  return written
}

describe('a backup code', () => {
  it('is made of 120 random bits, ten to a set', () => {
    expect(BYTES_OF_A_LOOK_UP_CODE * 8).to.equal(120)
    expect(BACKUP_CODES_IN_A_SET).to.equal(10)
  })

  it('is the random number in 24 characters of the Crockford alphabet', () => {
    fc.assert(
      fc.property(fifteenBytes, (bytes) => {
        expect(lookUpCodeFrom(bytes)).to.equal(inBase32(bytes))
      }),
    )
    expect(lookUpCodeFrom(new Uint8Array(15))).to.equal('0'.repeat(24))
    expect(lookUpCodeFrom(new Uint8Array(15).fill(255))).to.equal('Z'.repeat(24))
  })

  it('knows all 32 characters and no others', () => {
    const everyFive = Array.from({ length: 32 }, (_, five) => five.toString(2).padStart(5, '0'))
    const bytes = everyFive.join('').match(/.{8}/g) ?? []
    const random = Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 2))
    expect(lookUpCodeFrom(random)).to.equal(CROCKFORD)
  })

  it('depends on every one of its bits', () => {
    const codes = new Set<string>()
    for (let bit = 0; bit < 120; bit += 1) {
      const random = new Uint8Array(15)
      random[Math.floor(bit / 8)] = 0x80 >> (bit % 8)
      codes.add(lookUpCodeFrom(random))
    }
    expect(codes.size).to.equal(120)
    expect(codes).not.to.include('0'.repeat(24))
  })

  it('is shown in four groups of six', () => {
    expect(formatLookUpCode('0123456789ABCDEFGHJKMNPQ')).to.equal('012345-6789AB-CDEFGH-JKMNPQ')
    fc.assert(
      fc.property(fifteenBytes, (bytes) => {
        const shown = formatLookUpCode(lookUpCodeFrom(bytes))
        expect(shown).to.match(/^(?:[0-9A-HJKMNP-TV-Z]{6}-){3}[0-9A-HJKMNP-TV-Z]{6}$/)
        expect(shown.replaceAll('-', '')).to.equal(lookUpCodeFrom(bytes))
      }),
    )
  })

  it('shows what is no whole code as nothing', () => {
    expect(formatLookUpCode('')).to.equal('')
  })
})

describe('the backup codes that are left', () => {
  it('are none where there is no set', () => {
    expect(backupCodesLeft(null, KEY_IDS)).to.equal(0)
  })

  it('are those that were not used', () => {
    const set = backupCodeSet('one', 'two', 'three')
    const codes = set.codes.map((code) => ({ ...code, usedAt: code.digest === 'two' ? NOW : null }))
    expect(backupCodesLeft(set, KEY_IDS)).to.equal(3)
    expect(backupCodesLeft({ ...set, codes }, KEY_IDS)).to.equal(2)
    expect(backupCodesLeft({ ...set, codes: [] }, KEY_IDS)).to.equal(0)
  })

  it('are used also where the clock said 0 then', () => {
    const set = backupCodeSet()
    expect(backupCodesLeft({ ...set, codes: [{ digest: 'one', usedAt: 0 }] }, KEY_IDS)).to.equal(0)
  })
})

describe('a set of backup codes and the key it was made under', () => {
  const set = backupCodeSet('one', 'two')
  const madeUnder = (keyId: string | null) => ({ ...set, keyId })
  const cases = [
    ['new-key', 'current', 2],
    ['old-key', 'older', 2],
    ['lost-key', 'gone', 0],
    // Version 0.1.0 has not noted it: nobody may be told that codes are dead that are not.
    [null, 'unknown', 2],
  ] as const
  for (const [keyId, place, left] of cases) {
    it(`has a key that is ${place}, and ${left} codes left`, () => {
      expect(placeOfBackupCodes(madeUnder(keyId), KEY_IDS)).to.equal(place)
      expect(backupCodesLeft(madeUnder(keyId), KEY_IDS)).to.equal(left)
      expect(canBeRight(madeUnder(keyId), KEY_IDS)).to.equal(place !== 'gone')
    })
  }

  it('needs none where no code is unused, or there is no set', () => {
    const codes = set.codes.map((code) => ({ ...code, usedAt: NOW }))
    expect(placeOfBackupCodes({ ...set, codes }, KEY_IDS)).to.equal(null)
    expect(placeOfBackupCodes(null, KEY_IDS)).to.equal(null)
    expect(canBeRight(null, KEY_IDS)).to.equal(false)
  })

  it('gets to know its key by the digest that matches', async () => {
    const keyAfter = async (keyId: string | null, digests: readonly [string, string]) => {
      const record = enrolledRecord({ backupCodes: madeUnder(keyId) })
      const keys = keysWith({ digests: async () => digests })
      const { record: after } = await judge(record, backupCode('typed'), { keys })
      return after.backupCodes?.keyId
    }
    expect(await keyAfter(null, ['one', 'of the old key'])).to.equal('new-key')
    expect(await keyAfter(null, ['of the new key', 'one'])).to.equal('old-key')
    expect(await keyAfter(null, ['neither', 'of both'])).to.equal(null)
    expect(await keyAfter('new-key', ['other', 'one'])).to.equal('new-key')
  })
})

describe('a new set of backup codes', () => {
  const random = (bytes: number) => new Uint8Array(bytes).fill(7)

  it('has ten codes, kept as digests alone', async () => {
    const digests: Parameters<ReturnType<typeof keysWith>['digests']>[] = []
    const keys = keysWith({
      digests: async (...asked) => {
        digests.push(asked)
        return [`digest ${digests.length}`, 'under an older key']
      },
    })
    const { set, codes } = await makeBackupCodes(random, NOW, keys)
    expect(codes).to.have.length(10)
    expect(set).to.deep.equal({
      id: Buffer.from(random(6)).toString('base64url'),
      keyId: KEY_ID,
      codes: codes.map((_, index) => ({ digest: `digest ${index + 1}`, usedAt: null })),
      createdAt: NOW,
      saved: false,
      seenByAdmin: false,
    })
    for (const [code, purpose] of digests) {
      expect(codes).to.include(formatLookUpCode(code))
      expect(purpose).to.deep.equal({ purpose: 'backup-code', setId: set.id })
    }
  })

  it('makes every earlier code worthless at once', async () => {
    const after = enrolledRecord({ backupCodes: backupCodeSet('four') })
    for (const digest of ['one', 'two', 'three']) {
      const { answer } = await judge(after, backupCode(digest))
      expect(answer).to.deep.equal({ kind: 'wrong-code', counted: true })
    }
    expect((await judge(after, backupCode('four'))).answer.kind).to.equal('accepted')
  })
})
