import { rm } from 'node:fs/promises'
import { readArguments, USAGE } from './arguments.js'
import { Ends, type Outcome, runFleet } from './run.js'

const SHOWN = 10
const INTERRUPTED = 130
const ends = new Ends()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => ends.end().finally(() => process.exit(INTERRUPTED)))
}

async function main(): Promise<number> {
  const args = process.argv.slice(2)
  if (args.includes('--help')) {
    console.log(USAGE)
    return 0
  }
  const wanted = readArguments(args)
  console.log(`Seed ${wanted.seed}, ${wanted.logins} logins, ${wanted.faults} faults of each kind`)
  const outcome = await runFleet(wanted, (line) => console.log(line), ends)
  for (const line of outcome.figures) console.log(line)
  const isGood = report(outcome)
  if (isGood && !wanted.keep) await rm(outcome.history)
  else console.log(`The history is in ${outcome.history}`)
  return isGood ? 0 : 1
}

/** @returns whether all is well */
function report({ findings, unfinished }: Outcome): boolean {
  for (const { rule, violations } of findings) {
    console.log(`${violations.length === 0 ? 'holds' : 'BROKEN'}: ${rule}`)
    for (const violation of violations.slice(0, SHOWN)) console.log(`  ${violation}`)
    if (violations.length > SHOWN) console.log(`  and ${violations.length - SHOWN} more`)
  }
  if (unfinished !== null) console.log(`NOT FINISHED: ${unfinished}`)
  return unfinished === null && findings.every(({ violations }) => violations.length === 0)
}

main().then(
  (exitCode) => {
    process.exit(exitCode)
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  },
)
