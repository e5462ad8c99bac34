import { strict as assert } from 'node:assert'
import type { Kind } from './documents.js'
import { type StoreCase, storeCase } from './store-under-test.js'

const ROUNDS = 100
const PARALLEL = 20

/** Writes at the same time: one wins, everybody knows who, and the winner's is what is stored. */
export function raceCases<D extends { readonly version: number; readonly writeId: string }>(
  kind: Kind<D>,
): readonly StoreCase[] {
  const { make, find, write } = kind

  return [
    storeCase(`${kind.name}: of ${PARALLEL} first writes one wins`, async (store, another) => {
      const rivals = Array.from({ length: PARALLEL }, () => make(1))
      const won = await Promise.all(
        rivals.map((rival, index) => write(index % 2 === 0 ? store : another, rival, 0)),
      )
      assert.deepEqual(await find(store), winnerOf(rivals, won))
    }),

    storeCase(`${kind.name}: of two updates one wins, ${ROUNDS} times`, async (store, another) => {
      await write(store, make(1), 0)
      for (let version = 1; version <= ROUNDS; version += 1) {
        const rivals = [make(version + 1), make(version + 1)] as const
        const won = await Promise.all([
          write(store, rivals[0], version),
          write(another, rivals[1], version),
        ])
        assert.deepEqual(await find(store), winnerOf(rivals, won))
      }
    }),
  ]
}

function winnerOf<D>(rivals: readonly D[], won: readonly boolean[]): D | undefined {
  const winners = rivals.filter((_, index) => won[index] === true)
  assert.equal(winners.length, 1, `${winners.length} of ${rivals.length} rivals were told they won`)
  return winners[0]
}
