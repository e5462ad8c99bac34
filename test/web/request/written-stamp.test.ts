// The attack: somebody has a name for themselves, or an app has a path, that runs into the rest of the stamp in a
// session, so that it reads as another user's, or another app's.

import { expect } from 'chai'
import fc from 'fast-check'
import type { Stamp } from '../../../lib/domain/stamp.js'
import { readStamp, writeStamp } from '../../../lib/web/request/written-stamp.js'
import { getJson } from '../../support/answers.js'
import { ann } from '../../support/host.js'
import { editSession, stampOfSession } from '../../support/sessions.js'
import { signedInVisit } from '../../support/visits.js'

const whole = fc.maxSafeNat()
const names = fc.oneof(
  fc.string({ minLength: 1, unit: 'binary' }),
  fc.constantFrom('1', '0 ann', ' ', '\n', 'k/second-step', '5 ', 'ann 7 /a'),
)
const ids = fc.base64String({ minLength: 1 }).map((id) => id.replace(/[^\w-]/g, '-'))
const stamps: fc.Arbitrary<Stamp> = fc.record(
  {
    id: ids,
    userId: names,
    epoch: whole,
    method: fc.constantFrom<Stamp['method'][]>(
      'totp',
      'hotp',
      'backup-code',
      'one-time-code',
      'webauthn',
      'upstream',
      'trusted-browser',
      'none',
    ),
    at: whole,
    version: whole,
    instance: fc.nat(),
    site: names,
    trust: ids,
  },
  { requiredKeys: ['id', 'userId', 'epoch', 'method', 'at', 'version', 'instance'] },
)

describe('a stamp in a session', () => {
  it('reads as it was written, whatever user and site are called', () => {
    fc.assert(
      fc.property(stamps, (stamp) => {
        const stored: unknown = JSON.parse(JSON.stringify(writeStamp(stamp)))
        expect(readStamp(stored)).to.deep.equal(stamp)
      }),
    )
  })

  it('reads as version 0.1.0 wrote it', () => {
    const old = { id: 'one', userId: 'ann', epoch: 2, method: 'totp', at: 5 }
    expect(readStamp(old)).to.deep.equal({ ...old, version: 0, instance: 0 })
  })

  it('is none where a part is missing or of another kind', () => {
    const stamp = { id: 'one', userId: 'ann', epoch: 2, method: 'totp', at: 5 } as const
    const text = String(writeStamp({ ...stamp, version: 3, instance: 0, site: 'k/second-step' }))
    // The name of the user comes last, and may be as short as one character.
    for (let length = 0; length <= text.length - 'ann'.length; length += 1) {
      expect(readStamp(text.slice(0, length)), text.slice(0, length)).to.equal(null)
    }
    const odd = ['verified', '', 'true', 1, true, null, undefined, [], {}, [text]]
    const changed = [
      text.replace('1 ', '2 '),
      text.replace(' 2 ', ' -2 '),
      text.replace(' 5 ', ' x '),
    ]
    for (const one of [...odd, ...changed]) expect(readStamp(one), String(one)).to.equal(null)
    for (const part of Object.keys(stamp)) {
      expect(readStamp({ ...stamp, [part]: {} }), part).to.equal(null)
    }
  })

  it('is one text, which the session store hashes quickly', async () => {
    const { host } = await signedInVisit()
    const written: unknown[] = []
    editSession(host, ({ secondStep }) => written.push(typeof secondStep?.verified))
    expect([...new Set(written)]).to.deep.equal(['string'])
  })

  it('lets nobody in whose name is the end of another', async () => {
    const { host, browser } = await signedInVisit()
    editSession(host, (session) => {
      const stamp = stampOfSession(session)
      if (stamp === null) return
      const { site = '' } = stamp
      session.secondStep = { verified: writeStamp({ ...stamp, site: `${site}a`, userId: 'nn' }) }
    })
    expect(ann.id).to.equal('ann')
    await getJson(browser, '/inside').expect(401)
  })
})
