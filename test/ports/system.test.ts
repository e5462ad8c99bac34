// The mistake: random bytes that are made in advance are given out twice, or change later.

import { expect } from 'chai'
import { system } from '../../lib/ports/system.js'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('random bytes', () => {
  it('are as many as were asked for, few or many', () => {
    for (const size of [0, 1, 12, 63, 64, 65, 2048, 5000]) {
      expect(system.random(size)).to.have.length(size)
    }
  })

  it('are never given out twice, and stay as they were', () => {
    const given = Array.from({ length: 5000 }, (_, nth) => system.random(8 + (nth % 57)))
    const before = given.map(hex)
    system.random(64)
    expect(given.map(hex)).to.deep.equal(before)
    const starts = new Set(before.map((text) => text.slice(0, 16)))
    expect(starts.size).to.equal(given.length)
    const whole = before.join('')
    expect(whole).to.not.include('0'.repeat(16))
  })

  it('share their memory with no others: what comes next cannot be read beside them', () => {
    const one = system.random(16)
    expect(one.buffer.byteLength).to.equal(16)
  })

  it('have every bit as often as not', () => {
    let ones = 0
    for (let nth = 0; nth < 4000; nth += 1) {
      for (const byte of system.random(16)) {
        for (let bits = byte; bits > 0; bits >>= 1) ones += bits & 1
      }
    }
    // 512,000 bits: ten standard deviations.
    expect(Math.abs(ones - 256_000)).to.be.below(3578)
  })
})
