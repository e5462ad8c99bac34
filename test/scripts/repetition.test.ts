import { expect } from 'chai'
import { thatDiffer } from '../../scripts/testing/repetition.js'

/** Of tests the ones that are run once more. A call is `outline` or `outline:fields`. */
function repeated(...tests: readonly string[]): readonly string[] {
  const called = tests.map((title) => ({
    title,
    calls: title.split(' ').flatMap((whole) => {
      const [outline = ''] = whole.split(':')
      return whole === '' ? [] : [{ whole, outline }]
    }),
  }))
  return thatDiffer(called).map(({ title }) => title)
}

// A test that is not run once more finds nothing about the store: none may be left out that could.
describe('with another store a test is run once more', () => {
  it('where nobody else calls the store', () => {
    expect(repeated('find=none')).to.deep.equal(['find=none'])
  })

  it('where a call is new, or is answered as none has been', () => {
    const tests = ['find=none', 'find=none write=true', 'find=none write=false']
    expect(repeated(...tests)).to.deep.equal(tests.slice(1))
  })

  it('where a call has other fields than in all other tests', () => {
    const tests = ['find write:name', 'find write:name+serial', 'find write:name']
    expect(repeated(...tests)).to.deep.equal(tests.slice(1))
  })

  it('where a call comes after another than in all other tests', () => {
    const tests = ['find write list', 'write find list']
    expect(repeated(...tests)).to.deep.equal(tests)
    expect(repeated('find write', 'find list', 'find write find list')).to.deep.equal([
      'find write find list',
    ])
  })

  it('not where others make the same calls, and not where none is made', () => {
    expect(repeated('find write', '', 'find write')).to.deep.equal(['find write'])
  })

  it('not where several others make its calls, with whatever fields one comes after the other', () => {
    const tests = ['find:a write:b list:a', 'find:a write:a', 'find:b write:b list:a', 'find:b']
    expect(repeated(...tests)).to.deep.equal(tests.slice(1, 3))
  })
})
