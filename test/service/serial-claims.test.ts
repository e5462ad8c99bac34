import { expect } from 'chai'
import type { TokenClaim } from '../../lib/domain/serial-claim.js'
import type { RecordStore } from '../../lib/ports/record-store.js'
import { SerialClaims } from '../../lib/service/serial-claims.js'
import { NOW } from '../support/records.js'

const KEY = ' key'
const bound = { version: 2, writeId: 'w', serial: 'A' }
const CLAIMS: readonly TokenClaim[] = [
  { ...bound, userId: 'ann', claimedAt: NOW, isSettled: true, keyName: KEY },
  { ...bound, serial: KEY, ofSerial: 'A', next: 7 },
]

// The note of a token's last code was refused for want of replicas. Whoever repeats the removal finds it made, the
// master dies, and the token's used codes are good for its next owner.
it('the end of a token that is noted already is kept by replicas before it goes', async () => {
  const written: unknown[] = []
  for (const waitsForReplicas of [true, false]) {
    const store = {
      waitsForReplicas,
      findSerial: async (name: string) => CLAIMS.find(({ serial }) => serial === name) ?? null,
      async writeSerial(...given: unknown[]) {
        written.push(given)
        // Somebody else came between, once.
        return written.length > 1
      },
    } as unknown as RecordStore
    const system = { now: () => NOW, random: (size: number) => new Uint8Array(size) }
    const claims = new SerialClaims({ store, system, timeout: 1000 })
    expect(await claims.noteNext('a', 'ann', 7)).to.equal(CLAIMS[0])
    expect(written).to.deep.equal([1, 2].map(() => [CLAIMS[1], 1]))
  }
})
