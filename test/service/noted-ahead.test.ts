// The mistake: a place in the day's log that was taken for what did not happen is never given back, so that a
// user's later attempts are not in the log.

import { expect } from 'chai'
import { notedADay } from '../../lib/domain/event-kind.js'
import { memoryCounters } from '../../lib/limits/memory-counters.js'
import type { AuditEntry } from '../../lib/ports/audit-log.js'
import { type Expected, NotedAttempts } from '../../lib/service/noted-attempts.js'
import { Tally } from '../../lib/service/tally.js'
import { USER } from '../support/records.js'

const wrong: Expected = { type: 'wrong-code', method: 'totp' }
const refused: Expected = { type: 'mail-reset-refused', method: null }
const entry = { ...wrong, user: USER, actor: { kind: 'user', id: USER } } as AuditEntry
const LIMIT = notedADay(entry) ?? 0

async function world() {
  const counters = memoryCounters()
  const tally = new Tally(counters)
  const noted = new NotedAttempts(tally)
  const ahead = noted.placesAhead(USER, [wrong, refused])
  expect((await tally.takeAll(ahead)).kind).to.equal('taken')
  noted.keep(ahead)
  const counter = counters.counter('noted-attempts', 86_400)
  const takenOf = (nth: number) => counter.taken(ahead[nth]?.key ?? '')
  return { noted, tally, ahead, takenOf }
}

describe('places in the log that were taken ahead', () => {
  it('are used by the entries that follow, once', async () => {
    const { noted, ahead, takenOf } = await world()
    expect(await noted.worth([entry])).to.deep.equal([entry])
    expect(await takenOf(0)).to.equal(1)
    expect(noted.drop(ahead).map(({ key }) => key)).to.deep.equal([ahead[1]?.key])
    await noted.worth([entry])
    expect(await takenOf(0)).to.equal(2)
  })

  it('are given back for what did not happen', async () => {
    const { noted, tally, ahead, takenOf } = await world()
    await tally.giveBack(noted.drop(ahead))
    expect(await takenOf(0)).to.equal(0)
    for (let nth = 0; nth < LIMIT; nth += 1) {
      expect(await noted.worth([entry])).to.have.length(1)
    }
    expect(await noted.worth([entry])).to.deep.equal([])
  })

  it('are none for what the log notes in any case', async () => {
    const { noted } = await world()
    expect(noted.placesAhead(USER, [{ type: 'enrolled', method: 'totp' }])).to.deep.equal([])
  })
})
