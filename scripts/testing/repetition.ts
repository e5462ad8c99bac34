import type { Outcome, TestOutcome } from './mocha.js'
import { isOverHttp, type Unit, unitsOf } from './units.js'

/** Stores beside the one in memory, the slower one first. */
const STORES = ['postgresql', 'redis']

/**
 * The tests of the routes once more, with the records in other stores. They hold with every store,
 * and a store knows of a test nothing but its calls: so those are run once more that call the
 * store as no other of them does. The words of a page, a header or a language make no difference to it.
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
 * Leaves out a test where others make each of its calls, with the same fields in what is asked and
 * answered, and one right after the other as it does, whatever those fields are. Those that call the
 * store most go first.
 */
export function thatDiffer<Test extends Pick<TestOutcome, 'calls'>>(
  tests: readonly Test[],
): readonly Test[] {
  const marks = new Map(tests.map((test) => [test, marksOf(test)]))
  const times = new Map<string, number>()
  const count = (mark: string, more: number) => times.set(mark, (times.get(mark) ?? 0) + more)
  for (const mark of [...marks.values()].flatMap((each) => [...each])) count(mark, 1)
  const longestFirst = tests.toSorted((one, other) => other.calls.length - one.calls.length)
  const others = longestFirst.filter((test) => {
    const own = [...(marks.get(test) ?? [])]
    const isLeftOut = own.every((mark) => (times.get(mark) ?? 0) > 1)
    if (isLeftOut) for (const mark of own) count(mark, -1)
    return isLeftOut
  })
  const leftOut = new Set(others)
  return tests.filter((test) => !leftOut.has(test))
}

function marksOf({ calls }: Pick<TestOutcome, 'calls'>): ReadonlySet<string> {
  const steps = calls.map(({ outline }, index) => `${calls[index - 1]?.outline ?? ''} > ${outline}`)
  return new Set([...calls.map(({ whole }) => whole), ...steps])
}
