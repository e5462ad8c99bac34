import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'

/** Where every process writes what it has run. */
const RAW = 'coverage/tmp'

/** The environment of a process whose coverage counts. */
export const COVERED: NodeJS.ProcessEnv = { NODE_V8_COVERAGE: resolve(RAW) }

export function forgetCoverage(): void {
  rmSync('coverage', { recursive: true, force: true })
}

/**
 * Sums up what all processes have run, and prints it. The floor is in `.c8rc.json`.
 *
 * @returns whether it is reached
 */
export function isCovered(): boolean {
  if (!existsSync(RAW)) return false
  const args = ['report', '--check-coverage', '--temp-directory', RAW]
  return spawnSync('node_modules/.bin/c8', args, { stdio: 'inherit' }).status === 0
}
