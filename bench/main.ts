import { Workshop } from './measure/workshop.js'
import type { Figure } from './report/figure.js'
import { writeResults } from './report/results.js'
import { linesOf } from './report/table.js'
import { LONG_SCENARIOS, SCENARIOS } from './scenarios/index.js'
import type { Scenario } from './scenarios/scenario.js'

// npm run bench [-- [--quick] [SCENARIO…]]
// A run of everything writes RESULTS.md and results.svg. Fails on wrong answers, never on a time.

const given = process.argv.slice(2)
const quick = given.includes('--quick')
const named = given.filter((word) => word !== '--quick')
const known = { ...SCENARIOS, ...LONG_SCENARIOS }
const unknown = named.find((name) => !Object.hasOwn(known, name))
if (unknown !== undefined) {
  console.error(`there is no scenario ${unknown}; there are: ${Object.keys(known).join(' ')}`)
  process.exit(2)
}
const chosen = Object.entries(named.length > 0 ? known : SCENARIOS).filter(
  ([name]) => named.length === 0 || named.includes(name),
)

const workshop = new Workshop(quick)
const figures: Figure[] = []
try {
  for (const [name, scenario] of chosen) figures.push(...(await told(name, scenario)))
  if (named.length === 0 && !quick && process.exitCode === undefined) {
    writeResults(figures, await workshop.versionOfRedis(), new Date())
    console.log('\nwritten: bench/RESULTS.md, bench/results.svg, the costs in README.md')
  }
} finally {
  await workshop.stop()
}

/** Runs one scenario and prints what it found. One that fails does not end the others. */
async function told(name: string, scenario: Scenario): Promise<readonly Figure[]> {
  const began = performance.now()
  try {
    const found = await scenario(workshop)
    const seconds = Math.round((performance.now() - began) / 1000)
    console.log(`\n— ${name}: right answers, ${seconds} s`)
    const shown = linesOf(quick ? found.filter(isExact) : found)
    if (shown !== '') console.log(shown)
    return found
  } catch (error) {
    process.exitCode = 1
    console.error(`\n— ${name}: failed\n`, error)
    return []
  }
}

/** What one round tells as well as many. */
function isExact({ unit }: Figure): boolean {
  return unit === 'count' || unit === 'bytes'
}
