import type { Outcome } from './mocha.js'
import { comparesTimes, testFiles } from './test-files.js'

/** Files of tests that one process runs. */
export interface Unit {
  readonly files: readonly string[]
  /** Where the records are: in memory, or `redis` or `postgresql`. */
  readonly store: string
  /** Whether nothing else may run meanwhile. */
  readonly alone: boolean
}

/** Tests of the routes: they hold with every store, and so are run with several. */
const OVER_HTTP = /^test\/(web|request|routing|login|user|admin)\//

/** Stores beside the one in memory. */
const STORES = ['redis', 'postgresql']

/**
 * How many files one process runs, by their folder. What comes first takes longest, and begins
 * first: so nobody waits for it at the end.
 */
const FILES_AT_ONCE: readonly (readonly [folder: RegExp, count: number])[] = [
  [/^test\/promises\//, 1],
  [OVER_HTTP, 8],
  [/^test\/(browser|cli|example-app)\//, 1],
  [/^test\/stores\//, 3],
  [/^test\//, 20],
]

/** All tests, with the records in memory. */
export function units(files = testFiles()): readonly Unit[] {
  const together = files.filter((file) => !comparesTimes(file))
  const alone = files.filter(comparesTimes)
  return [
    ...FILES_AT_ONCE.flatMap(([folder, count], index) => {
      const earlier = FILES_AT_ONCE.slice(0, index).map(([other]) => other)
      const here = together.filter(
        (file) => folder.test(file) && !earlier.some((other) => other.test(file)),
      )
      return inParts(here, count)
    }).map((part) => ({ files: part, store: '', alone: false })),
    ...(alone.length > 0 ? [{ files: alone, store: '', alone: true }] : []),
  ]
}

/** The same once more in other stores: what has reached the one that a test's host was given. */
export function onOtherStores(
  { files, alone }: Unit,
  results: Outcome['files'],
  stores: readonly string[] = STORES,
): readonly Unit[] {
  const again = files.filter((file) => OVER_HTTP.test(file) && results[file]?.reachesStore)
  return again.length === 0 ? [] : stores.map((store) => ({ files: again, store, alone }))
}

/** Neighbours are apart: they often take as long as each other. */
function inParts(files: readonly string[], count: number): readonly (readonly string[])[] {
  const parts = Math.ceil(files.length / count)
  return Array.from({ length: parts }, (_, part) =>
    files.filter((_, index) => index % parts === part),
  )
}
