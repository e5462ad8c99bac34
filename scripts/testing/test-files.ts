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

/**
 * Two times can be compared only on a machine that is idle. A bound on one time is no such thing: it
 * leaves a third and more to a machine that is busy, and most of what it bounds is a wait.
 */
export function comparesTimes(file: string): boolean {
  return textOf(file).includes("support/compared-times.js'")
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
