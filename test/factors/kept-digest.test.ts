// The mistake: digests became shorter, and the backup codes, one-time codes and reset links that version
// 0.1.0 made open nothing any more, or anything.

import { createHash, createHmac, hkdfSync } from 'node:crypto'
import { expect } from 'chai'
import { judgeBackupCode } from '../../lib/factors/backup-codes/verdict.js'
import { isDigest, placeOfDigest, shortDigest } from '../../lib/factors/kept-digest.js'
import { judgeOneTimeCode } from '../../lib/factors/one-time-codes/verdict.js'
import { keyRing } from '../../lib/keys/key-ring.js'
import { system } from '../../lib/ports/system.js'
import { MailResetTokens } from '../../lib/service/mail-reset-tokens.js'
import { NOW } from '../support/records.js'

const KEY = createHash('sha256').update('a key').digest()
const { digester } = keyRing([
  KEY.toString('base64'),
  createHash('sha256').update('another').digest('base64'),
])

/** As version 0.1.0 made it. */
function longDigest(code: string, purpose: string, setId: string): string {
  const key = Buffer.from(hkdfSync('sha256', KEY, '', 'passport-second-step/v1/digest', 32))
  const input = JSON.stringify([purpose, 'ann', setId, code])
  return createHmac('sha256', key).update(input).digest('base64url')
}

describe('a digest that version 0.1.0 kept', () => {
  const context = { userId: 'ann', setId: 'set-1' }

  it('is of a backup code, and tells its key', async () => {
    const digest = longDigest('CODE', 'backup-code', 'set-1')
    const codes = [{ digest, usedAt: null }]
    const rest = { id: 'set-1', keyId: null, createdAt: 0, saved: true, seenByAdmin: false }
    const set = { ...rest, codes }
    const { keyIds } = digester
    const digests = await digester.digests('CODE', { ...context, purpose: 'backup-code' })
    const answer = judgeBackupCode(set, digests, { now: NOW, keyIds })
    expect(answer).to.have.property('kind', 'right')
    expect(answer).to.have.nested.property('kept.keyId', keyIds[0])
    const others = await digester.digests('OTHER', { ...context, purpose: 'backup-code' })
    expect(judgeBackupCode(set, others, { now: NOW, keyIds })).to.have.property('kind', 'wrong')
  })

  it('is of a one-time code', async () => {
    const digest = longDigest('CODE', 'one-time-code', 'set-1')
    const code = { id: 'set-1', keyId: null, digest, expiresAt: NOW + 1, usedAt: null }
    const digests = await digester.digests('CODE', { ...context, purpose: 'one-time-code' })
    expect(judgeOneTimeCode([code], digests, NOW)).to.have.property('kind', 'right')
  })

  it('is in the link of a mail that was sent before', async () => {
    const tokens = new MailResetTokens({ digester, system })
    const { token, secret } = await tokens.newToken('ann')
    const [user] = token.split('.')
    const mac = longDigest(secret, 'mail-reset', JSON.stringify(['link']))
    expect(await tokens.read(`${user}.${secret}.${mac}`)).to.deep.equal({ userId: 'ann', secret })
    const other = longDigest(secret, 'mail-reset', 'another')
    expect(await tokens.read(`${user}.${secret}.${other}`)).to.equal(null)
  })

  it('is compared by nothing less than 128 bits, and no other is cut', () => {
    const long = Buffer.alloc(32, 1).toString('base64url')
    const short = Buffer.alloc(16, 1).toString('base64url')
    expect(placeOfDigest(long, ['x', short])).to.equal(1)
    const almost = Buffer.from(short, 'base64url')
    almost[15] = 0
    expect(isDigest(long, [almost.toString('base64url')])).to.equal(false)
    expect(isDigest(short, [long])).to.equal(false)
    for (const own of ['kms:1:abc', `${long}A`, long.slice(1)])
      expect(shortDigest(own)).to.equal(own)
  })
})
