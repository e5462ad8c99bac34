import { comparesTimes, testFiles } from './test-files.js'

/** Files of tests that one process runs. */
export interface Unit {
  readonly files: readonly string[]
  /** The full titles of the tests, where they are not all. */
  readonly titles?: readonly string[]
  /** Where the records are: in memory, or `redis` or `postgresql`. */
  readonly store: string
  /** Whether nothing else may run meanwhile. */
  readonly alone: boolean
}

/** Tests of the routes: they hold with every store. */
const OVER_HTTP = /^test\/(web|request|routing|login|user|admin)\//

/**
 * How many files one process runs, by their folder. What comes first takes longest, and begins
 * first: so nobody waits for it at the end.
 */
const FILES_AT_ONCE: readonly (readonly [folder: RegExp, count: number])[] = [
  [/^test\/browser\/every-page/, 1],
  [/^test\/proof\/fleet/, 1],
  [/^test\/promises\//, 1],
  [/^test\/browser\/every-/, 1],
  [OVER_HTTP, 12],
  [/^test\/cli\//, 3],
  [/^test\/example-app\//, 2],
  [/^test\/browser\//, 4],
  [/^test\/stores\//, 3],
  [/^test\//, 20],
]

/** Tests of whole apps and pages: they run the built package, or what other tests run already. */
const WITHOUT_COVERAGE = /^test\/(promises\/|proof\/fleet|browser\/|example-app\/)/

/** Counting what was run costs a fifth of the time. */
export function countsCoverage({ files, store }: Unit): boolean {
  return store === '' && !files.some((file) => WITHOUT_COVERAGE.test(file))
}

/** Apps in processes of their own, with a database each, or a Chromium with many. */
const IN_SEVERAL_PROCESSES =
  /^test\/(browser\/|proof\/fleet|promises\/(one-code-one-door|killed-in-a-burst))/

/** How much of the machine it takes while it runs, where 1 is a process that often waits. */
export function weightOf({ files }: Unit): 1 | 2 {
  return files.some((file) => IN_SEVERAL_PROCESSES.test(file)) ? 2 : 1
}

/** How many files one process runs some tests of. */
const SOME_OF_FILES = 32

export function isOverHttp(file: string): boolean {
  return OVER_HTTP.test(file)
}

/**
 * All tests, with the records in memory. What keeps several processes busy begins first: beside it
 * there is room for one that often waits, and at the end nothing would be left to run there.
 */
export function units(files = testFiles()): readonly Unit[] {
  const together = files.filter((file) => !comparesTimes(file))
  const alone = files.filter(comparesTimes)
  const ordered = FILES_AT_ONCE.flatMap(([folder, count], index) => {
    const earlier = FILES_AT_ONCE.slice(0, index).map(([other]) => other)
    const here = together.filter(
      (file) => folder.test(file) && !earlier.some((other) => other.test(file)),
    )
    return inParts(here, count)
  }).map((part) => ({ files: part, store: '', alone: false }))
  return [
    ...ordered.toSorted((one, other) => weightOf(other) - weightOf(one)),
    ...(alone.length > 0 ? [{ files: alone, store: '', alone: true }] : []),
  ]
}

/** Of some files some tests, with the records in a store. */
export function unitsOf(
  tests: readonly { readonly file: string; readonly title: string }[],
  store: string,
): readonly Unit[] {
  const files = [...new Set(tests.map(({ file }) => file))]
  return inParts(files, SOME_OF_FILES).map((part) => ({
    files: part,
    titles: tests.filter(({ file }) => part.includes(file)).map(({ title }) => title),
    store,
    alone: false,
  }))
}

/** Neighbours are apart: they often take as long as each other. */
function inParts(files: readonly string[], count: number): readonly (readonly string[])[] {
  const parts = Math.ceil(files.length / count)
  return Array.from({ length: parts }, (_, part) =>
    files.filter((_, index) => index % parts === part),
  )
}
