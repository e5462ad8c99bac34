import type { RecordStore } from '../ports/record-store.js'

/** What a case is run on. */
export interface StoreUnderTest {
  /** An empty store; the case itself calls its `open`. */
  readonly store: RecordStore
  /**
   * A second adapter on the same data with a connection of its own, as another process has. Where
   * there can be none, the reason; the races are then run on the one adapter.
   */
  readonly another: RecordStore | { readonly noneBecause: string }
  /** Called after the case: ends connections, empties tables. */
  release?(): Promise<void>
}

/** Makes an empty store for each case. */
export type StoreFactory = () => StoreUnderTest | Promise<StoreUnderTest>

/** One behaviour that a store must have. It rejects with an AssertionError where it has not. */
export interface StoreCase {
  readonly name: string
  run(makeStore: StoreFactory): Promise<void>
}

/** A case, given two adapters on the same data; both are one where there is only one. */
export function storeCase(
  name: string,
  behaviour: (store: RecordStore, another: RecordStore) => Promise<void>,
): StoreCase {
  return {
    name,
    async run(makeStore) {
      const { store, another, release } = await makeStore()
      try {
        const second = 'noneBecause' in another ? store : another
        await store.open?.({ production: false })
        if (second !== store) await second.open?.({ production: false })
        await behaviour(store, second)
      } finally {
        await release?.()
      }
    },
  }
}
