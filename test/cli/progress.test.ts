import { expect } from 'chai'
import { readEveryRecord } from '../../lib/cli/every-record.js'
import { progress } from '../../lib/cli/progress.js'
import { memoryStore, type RecordStore } from '../../lib/index.js'
import { enrolledRecord } from '../../lib/testing/documents.js'

/** What is said of so many steps, one each so many milliseconds. */
function said(
  isTTY: boolean,
  { steps, pace, total = null }: { steps: number; pace: number; total?: number | null },
): readonly string[] {
  const texts: string[] = []
  let now = 0
  const told = progress('Read', { isTTY, write: (text) => texts.push(text) }, () => now)
  told.begin(total)
  for (let step = 0; step < steps; step += 1) {
    now += pace
    told.step()
  }
  told.end()
  return texts
}

describe('The progress of a long command', () => {
  it('is one line on a terminal, written over and gone at the end', () => {
    expect(said(true, { steps: 4, pace: 100 })).to.deep.equal([
      '\r\u001b[2KRead: 2 so far',
      '\r\u001b[2KRead: 4 so far',
      '\r\u001b[2K',
    ])
  })

  it('is a line each ten seconds elsewhere, so that no log is filled', () => {
    expect(said(false, { steps: 25, pace: 1000 })).to.deep.equal([
      'Read: 10 so far\n',
      'Read: 20 so far\n',
    ])
  })

  it('is nothing where the work is done at once', () => {
    expect(said(true, { steps: 100, pace: 1 })).to.deep.equal([])
    expect(said(false, { steps: 9, pace: 1000 })).to.deep.equal([])
  })

  it('tells how many there are and how long the rest takes, where that is known', () => {
    expect(said(false, { steps: 25, pace: 1000, total: 25 })).to.deep.equal([
      'Read: 10 of 25, about 15 s left\n',
      'Read: 20 of 25, about 5 s left\n',
    ])
    const [first] = said(false, { steps: 10, pace: 1000, total: 1000 })
    expect(first).to.equal('Read: 10 of 1000, about 17 min left\n')
    const [slow] = said(false, { steps: 1, pace: 60_000, total: 1000 })
    expect(slow).to.equal('Read: 1 of 1000, about 17 h left\n')
  })

  it('does not count below nothing where users came meanwhile', () => {
    expect(said(false, { steps: 10, pace: 1000, total: 5 })).to.deep.equal(['Read: 10 so far\n'])
  })

  // The mistake: a store's list leads from a page to the next and back, and a command has no end.
  it('ends where the list of the store goes in a circle', async () => {
    let pages = 0
    const list = async () => {
      pages += 1
      if (pages > 10) throw new Error('it has no end')
      return { records: [], next: pages % 2 === 0 ? 'even' : 'odd' }
    }
    const untold = { begin: () => undefined, step: () => undefined, end: () => undefined }
    const act = async () => undefined
    const reading = readEveryRecord(
      { ...memoryStore(), list },
      untold,
      () => true,
      'is broken',
      act,
    )
    expect(await reading.catch((error: Error) => error.message)).to.include('goes in a circle')
  })

  it('is told by a reading of all records: how many there are, and each of them', async () => {
    const { count, ...counting } = memoryStore()
    for (const id of ['ann', 'bob', 'carl']) await counting.write(enrolledRecord(id, 1), 0)
    const toldOf = async (store: RecordStore) => {
      const told: (number | string | null)[] = []
      const kept = {
        begin: (total: number | null) => void told.push(total),
        step: () => void told.push('step'),
        end: () => undefined,
      }
      await readEveryRecord(
        store,
        kept,
        () => true,
        'is broken',
        async () => undefined,
      )
      return told
    }
    const steps = ['step', 'step', 'step']
    expect(await toldOf({ ...counting, count: async () => 3 })).to.deep.equal([3, ...steps])
    expect(await toldOf(counting), 'a store that cannot count').to.deep.equal([null, ...steps])
    expect(await count?.()).to.equal(3)
  })
})
