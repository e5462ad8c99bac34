// Somebody comes in by the one way that nobody thought of when a rule, a state or another way was added: so
// all of them are tried in all states, under all rules, and what lets in is what people have agreed to.

import { readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { changedRows } from '../support/ways-in/changed-rows.js'
import { holesIn } from '../support/ways-in/holes.js'
import { type Cell, measure } from '../support/ways-in/measure.js'
import { STATES } from '../support/ways-in/states.js'
import { tablesOf } from '../support/ways-in/table.js'

const AGREED = new URL('ways-in.md', import.meta.url)

describe('promise 1: the ways in', () => {
  const cells: Cell[] = []

  before(async function () {
    this.timeout(180_000)
    for (const state of STATES) cells.push(...(await measure(state)))
  })

  it('let nobody in without a factor who has one, whatever was agreed to', () => {
    expect(holesIn(cells).join('\n')).to.equal('')
  })

  it('are those of ways-in.md', () => {
    const measured = tablesOf(cells)
    if (process.env.UPDATE_WAYS_IN !== undefined) update(measured)
    const changes = changedRows(readFileSync(AGREED, 'utf8'), measured)
    expect(changes.join('\n')).to.equal('')
  })

  /** Nobody agrees to what the test above forbids, and no machine agrees to anything. */
  function update(measured: string): void {
    if (process.env.CI !== undefined) throw new Error('ways-in.md is written by people, not in CI')
    if (holesIn(cells).length === 0) writeFileSync(AGREED, measured)
  }
})
