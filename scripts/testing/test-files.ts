import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const TESTS = 'test'

/** All files of tests, as they are in the repository. */
export function testFiles(): readonly string[] {
  return readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(TESTS, name))
    .sort()
}

/** A bound on time, or a comparison of times, means something only on a machine that is idle. */
export function measuresTime(file: string): boolean {
  return textOf(file).includes('performance.now(')
}

/** Whether a file, or what it imports of ours for tests, starts servers, browsers or programs. */
export function startsProcesses(file: string, seen = new Set<string>()): boolean {
  seen.add(file)
  const imported = [...textOf(file).matchAll(/(?<!import type .*)\bfrom '([^']+)'/g)]
  return imported.some(([, name = '']) => {
    if (name === 'node:child_process' || name === 'playwright-core') return true
    const path = join(dirname(file), name).replace(/\.js$/, '.ts')
    const ours = name.startsWith('.') && path.startsWith(TESTS) && existsSync(path)
    return ours && !seen.has(path) && startsProcesses(path, seen)
  })
}

function textOf(file: string): string {
  return readFileSync(file, 'utf8')
}
