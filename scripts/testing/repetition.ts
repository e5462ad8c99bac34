import type { Outcome, TestOutcome } from './mocha.js'
import { isOverHttp, type Unit, unitsOf } from './units.js'

/** Stores beside the one in memory. */
const STORES = ['redis', 'postgresql']

/**
 * The tests of the routes once more, with the records in other stores. They hold with every store,
 * and a store knows of a test nothing but its calls: so those are run once more that call the
 * store as no other test does. The words of a page, a header or a language make no difference to it.
 */
export class Repetition {
  readonly #stores: readonly string[]
  readonly #outcomes = new Map<string, readonly TestOutcome[]>()
  readonly #files: readonly string[]

  /** @param units all that are run with the records in memory */
  constructor(units: readonly Unit[], stores: readonly string[] = STORES) {
    this.#stores = stores
    this.#files = units.flatMap(({ files }) => files.filter(isOverHttp)).sort()
  }

  /** @returns what is to be run once more: all of it, when the last of those tests has come to its end */
  after(unit: Unit, { files }: Outcome): readonly Unit[] {
    const ended = unit.store === '' ? unit.files.filter(isOverHttp) : []
    for (const file of ended) this.#outcomes.set(file, files[file]?.tests ?? [])
    if (ended.length === 0 || this.#outcomes.size < this.#files.length) return []
    const tests = this.#files.flatMap((file) =>
      (this.#outcomes.get(file) ?? []).map((test) => ({ ...test, file })),
    )
    const again = thatDiffer(tests)
    return this.#stores.flatMap((store) => unitsOf(again, store))
  }
}

/**
 * Leaves out the tests whose calls others have made already: of the same kinds, and each right after
 * the same one.
 */
export function thatDiffer<Test extends Pick<TestOutcome, 'calls'>>(
  tests: readonly Test[],
): readonly Test[] {
  const seen = new Set<string>()
  return tests.filter(({ calls }) => {
    const kinds = [...new Set(calls)].sort().join()
    const steps = calls.map((call, index) => `${calls[index - 1] ?? ''} ${call}`)
    const fresh = [kinds, ...steps].filter((mark) => !seen.has(mark))
    for (const mark of fresh) seen.add(mark)
    return calls.length > 0 && fresh.length > 0
  })
}
