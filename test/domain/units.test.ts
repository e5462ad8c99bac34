// The mistake: MINUTE, HOUR and DAY that mean seconds in one file and milliseconds in the next.

import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import * as units from '../../lib/domain/units.js'

const FILES = readdirSync('lib', { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
)

describe('units of time', () => {
  it('say in their names what they count', () => {
    for (const [name, value] of Object.entries(units)) {
      const [word = '', unit] = name.split('_')
      const seconds = { SECOND: 1, MINUTE: 60, HOUR: 3600, DAY: 86_400 }[word]
      expect(value, name).to.equal(unit === 'MS' ? Number(seconds) * 1000 : seconds)
      expect(unit, name).to.be.oneOf(['MS', 'S'])
    }
  })

  it('are in one file', () => {
    const made = /\bconst (SECOND|MINUTE|HOUR|DAY)\b|\b(24|60) \* 60\b|\b60 \* 1000\b/
    // The factors stand below the domain.
    const others = FILES.filter(
      (file) => file !== 'domain/units.ts' && !file.startsWith('factors/'),
    )
    const own = others.filter((file) => made.test(readFileSync(`lib/${file}`, 'utf8')))
    expect(own).to.deep.equal([])
  })
})
