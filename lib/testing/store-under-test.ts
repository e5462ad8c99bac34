import type { RecordStore } from '../ports/record-store.js'

/** The input of a case. */
export interface StoreUnderTest {
  /** An empty store; the case itself calls its `open`. */
  readonly store: RecordStore
  /**
   * A second adapter on the same data with a connection of its own, as another process has. Where
   * there can be none, the reason; the races are then run on the one adapter.
   */
  readonly another: RecordStore | { readonly noneBecause: string }
  /**
   * For stores that can tell a record that was lost from one that was never written: loses the
   * user's record behind the store's back. Without it nothing is asked about lost records.
   */
  lose?(userId: string): Promise<unknown>
  /** Called after the case. Close connections and empty tables here. */
  release?(): Promise<void>
}

export type Lose = NonNullable<StoreUnderTest['lose']>

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
  behaviour: (store: RecordStore, another: RecordStore, lose: Lose | undefined) => Promise<void>,
): StoreCase {
  return {
    name,
    async run(makeStore) {
      const under = await makeStore()
      const { store, another } = under
      try {
        const second = 'noneBecause' in another ? store : another
        await store.open?.({ production: false })
        if (second !== store) await second.open?.({ production: false })
        await behaviour(store, second, under.lose?.bind(under))
      } finally {
        await under.release?.()
      }
    },
  }
}
