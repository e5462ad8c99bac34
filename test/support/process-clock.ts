import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Environment } from './example-app.js'

/**
 * The environment of a process whose clock goes so much ahead of the machine's, by `faketime`. Its
 * own process is left out, since no signal to it would reach the one that it starts.
 */
export async function clockAhead(milliseconds: number): Promise<Environment> {
  const { stdout } = await promisify(execFile)('faketime', ['-f', '+0', 'env'])
  const [, library] = /^LD_PRELOAD=(.+)$/m.exec(stdout) ?? []
  if (library === undefined) throw new Error('faketime does not say where its library is')
  return {
    LD_PRELOAD: library,
    FAKETIME: `+${milliseconds / 1000}`,
    // Timers go by this clock, and it is the same before and after.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  }
}
