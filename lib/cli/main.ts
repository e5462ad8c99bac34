#!/usr/bin/env node
import { run } from './run.js'

const { exitCode, stdout, stderr } = await run(process.argv.slice(2))

// Also ends the process: connections that the config opened would keep it alive.
process.stderr.write(stderr, () => {
  process.stdout.write(stdout, () => process.exit(exitCode))
})
