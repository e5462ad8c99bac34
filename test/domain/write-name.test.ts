import { expect } from 'chai'
import { nameWrite, shortName, shortNames } from '../../lib/domain/write-name.js'

const OWN = 'AAAAAAAABBBBBBBB'

describe('the name of a write', () => {
  it('is its own alone where nothing was written before', () => {
    expect(nameWrite(OWN, '')).to.equal(OWN)
  })

  it('names the writes before it, latest first', () => {
    const second = nameWrite('CCCCCCCCDDDDDDDD', OWN)
    const third = nameWrite('EEEEEEEEFFFFFFFF', second)
    expect(third).to.equal('EEEEEEEEFFFFFFFF.CCCCCCCC.AAAAAAAA')
    expect(shortNames(third)).to.deep.equal(['EEEEEEEE', 'CCCCCCCC', shortName(OWN)])
  })

  it('stays short, however many writes there were', () => {
    let name = ''
    for (let write = 0; write < 100; write += 1) {
      name = nameWrite(String(write).padStart(16, '0').split('').reverse().join(''), name)
    }
    expect(shortNames(name)).to.have.length(7)
    expect(name.length).to.be.below(80)
  })
})
