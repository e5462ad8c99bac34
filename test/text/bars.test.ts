import { expect } from 'chai'
import { barsOf, highestOf } from '../../lib/text/bars.js'

describe('The bars of a picture', () => {
  it('stand one on another, as high as their share of the highest', () => {
    const series = [
      [1, 0, 3],
      [1, 0, 1],
    ]
    expect(highestOf(series)).to.equal(4)
    expect(barsOf(series)).to.deep.equal([
      { series: 0, x: 0, y: 75, height: 25 },
      { series: 1, x: 0, y: 50, height: 25 },
      { series: 0, x: 20, y: 25, height: 75 },
      { series: 1, x: 20, y: 0, height: 25 },
    ])
  })

  it('are none where nothing was counted', () => {
    expect(barsOf([[0, 0]])).to.deep.equal([])
    expect(barsOf([])).to.deep.equal([])
  })
})
