import { expect } from 'chai'
import { progress } from '../../lib/cli/progress.js'

/** What is said of so many steps, one each so many milliseconds. */
function said(isTTY: boolean, steps: number, pace: number): readonly string[] {
  const texts: string[] = []
  let now = 0
  const told = progress('Read', { isTTY, write: (text) => texts.push(text) }, () => now)
  for (let step = 0; step < steps; step += 1) {
    now += pace
    told.step()
  }
  told.end()
  return texts
}

describe('The progress of a long command', () => {
  it('is one line on a terminal, written over and gone at the end', () => {
    expect(said(true, 4, 100)).to.deep.equal([
      '\rRead: 2 so far',
      '\rRead: 4 so far',
      '\r\u001b[2K',
    ])
  })

  it('is a line each ten seconds elsewhere, so that no log is filled', () => {
    expect(said(false, 25, 1000)).to.deep.equal(['Read: 10 so far\n', 'Read: 20 so far\n'])
  })

  it('is nothing where the work is done at once', () => {
    expect(said(true, 100, 1)).to.deep.equal([])
    expect(said(false, 9, 1000)).to.deep.equal([])
  })
})
