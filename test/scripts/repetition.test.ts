import { expect } from 'chai'
import { thatDiffer } from '../../scripts/testing/repetition.js'

function repeated(...calls: string[][]): string[] {
  return thatDiffer(calls.map((each) => ({ calls: each }))).map((test) => test.calls.join(' '))
}

// A test that is not run once more finds nothing about the store: none may be left out that could.
describe('with another store a test is run once more', () => {
  it('where nobody has called the store before', () => {
    expect(repeated(['find none'])).to.deep.equal(['find none'])
  })

  it('where a call is new, or is answered as none has been', () => {
    const tests = [['find none'], ['find none', 'write true'], ['find none', 'write false']]
    expect(repeated(...tests)).to.have.length(3)
  })

  it('where a call comes after another than before', () => {
    const tests = [
      ['find', 'write', 'list'],
      ['write', 'find', 'list'],
    ]
    expect(repeated(...tests)).to.have.length(2)
  })

  it('where calls of several tests come together', () => {
    expect(
      repeated(['find', 'write'], ['find', 'list'], ['find', 'write', 'find', 'list']),
    ).to.have.length(3)
  })

  it('not where others have made the same calls, and not where none is made', () => {
    expect(repeated(['find', 'write'], [], ['find', 'write'])).to.deep.equal(['find write'])
  })
})
