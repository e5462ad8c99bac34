import { Workshop } from './measure/workshop.js'
import type { Figure } from './report/figure.js'
import { writeResults } from './report/results.js'
import { linesOf } from './report/table.js'
import { SCENARIOS } from './scenarios/index.js'

// npm run bench [-- [--quick] [SCENARIO…]]
// A run of everything writes RESULTS.md and results.svg. Fails on wrong answers, never on a time.

const given = process.argv.slice(2)
const quick = given.includes('--quick')
const named = given.filter((word) => word !== '--quick')
const unknown = named.find((name) => !Object.hasOwn(SCENARIOS, name))
if (unknown !== undefined) {
  console.error(`there is no scenario ${unknown}; there are: ${Object.keys(SCENARIOS).join(' ')}`)
  process.exit(2)
}

const workshop = new Workshop(quick)
const figures: Figure[] = []
try {
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    if (named.length > 0 && !named.includes(name)) continue
    const began = performance.now()
    const found = await scenario(workshop)
    const seconds = Math.round((performance.now() - began) / 1000)
    console.log(`\n— ${name}: right answers, ${seconds} s`)
    console.log(linesOf(quick ? found.filter(isExact) : found))
    figures.push(...found)
  }
  if (named.length === 0 && !quick) {
    writeResults(figures, await workshop.versionOfRedis(), new Date())
    console.log('\nwritten: bench/RESULTS.md, bench/results.svg')
  }
} finally {
  await workshop.stop()
}

/** What one round tells as well as many. */
function isExact({ unit }: Figure): boolean {
  return unit === 'count' || unit === 'bytes'
}
