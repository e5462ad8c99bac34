import { expect } from 'chai'
import { testFiles } from '../../scripts/testing/test-files.js'
import { units, weightOf } from '../../scripts/testing/units.js'

describe('units of the tests', () => {
  it('are all tests, each once', () => {
    const files = units().flatMap((unit) => unit.files)
    expect(files.toSorted()).to.deep.equal(testFiles())
  })

  it('begin with those that take most of the machine, so that others fill it up beside them', () => {
    const weights = units()
      .filter(({ alone }) => !alone)
      .map(weightOf)
    expect(weights).to.deep.equal(weights.toSorted().reverse())
  })
})
