import fs = require('node:fs')
import Mocha = require('mocha')

const PATIENCE = 10_000

/** Mocha's `spec`, which also leaves the counts in the file that `TEST_COUNTS` names. */
class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options)
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures } = this.stats
      const file = process.env.TEST_COUNTS
      if (file !== undefined) fs.writeFileSync(file, JSON.stringify({ passes, failures }))
      setTimeout(failAsLeftOpen, PATIENCE).unref()
    })
  }
}

/** Tests close what they open. Runs only where something still holds the process up. */
function failAsLeftOpen(): void {
  const left = process.getActiveResourcesInfo().join(', ')
  console.error(`The tests have ended, but left something open: ${left}.`)
  process.exit(1)
}

export = CountingReporter
