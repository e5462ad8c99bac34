import { expect } from 'chai'
import { isRecord } from '../../lib/domain/record-shape.js'
import { keyRing } from '../../lib/keys/key-ring.js'
import { makeLog } from '../../scripts/demo-admin/log.js'
import { ADMIN, makePeople } from '../../scripts/demo-admin/people.js'
import { keyOf, recordMaker, secretOf } from '../../scripts/demo-admin/records.js'
import { Random } from '../../scripts/fleet/random.js'

const NOW = Date.UTC(2026, 0, 31, 12)
const KEY = keyOf(1)

/** All that the demo writes. */
async function made(seed: number) {
  const random = new Random(seed)
  const people = makePeople(600, random, NOW)
  const { recordOf } = recordMaker(KEY, random, NOW)
  const written = await Promise.all(people.map(recordOf))
  const records = written.filter((record) => record !== null)
  const byId = new Map(records.map((record) => [record.userId, record]))
  return { people, records, log: makeLog(people, byId, random, NOW) }
}

describe('The people of npm run demo:admin', () => {
  it('are the same for the same seed, and so is their log', async () => {
    const [one, again, other] = [await made(1), await made(1), await made(2)]
    expect(again.people).to.deep.equal(one.people)
    expect(again.log).to.deep.equal(one.log)
    expect(other.people).not.to.deep.equal(one.people)
  })

  it('have records as the store takes them, of every standing', async () => {
    const { people, records } = await made(1)
    expect(records.filter((record) => !isRecord(record))).to.be.empty
    expect(new Set(people.map(({ standing }) => standing)).size).to.equal(8)
  })

  it('sign in with the key that the demo prints codes of', async () => {
    const [{ authenticators: [app] = [] } = {}] = (await made(1)).records
    const secret = app?.type === 'totp' ? app.secret : ''
    const purpose = { purpose: 'authenticator', userId: ADMIN.id } as const
    const opened = await keyRing([KEY]).sealer.open(secret, purpose)
    expect(Buffer.from(opened.secret)).to.deep.equal(secretOf(KEY, ADMIN.id))
  })
})
