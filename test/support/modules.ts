import { execFile } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** The repository, or the copy of it in which `npm test` has compiled everything. */
const ROOT = new URL('../../', import.meta.url)
const EXTENSION = extname(import.meta.url)

/** Whether this very process runs TypeScript, as `npx mocha FILE` does. */
const RUNS_TYPESCRIPT = EXTENSION === '.ts'

/** What Node needs before the file of a module of ours. */
export const NODE_ARGUMENTS: readonly string[] = RUNS_TYPESCRIPT ? ['--import', 'tsx'] : []

/**
 * What Node needs before an app that imports the package by its name: it gets the built one, which starts sooner, where
 * there is one and nobody counts which lines were run.
 */
export const APP_ARGUMENTS: readonly string[] =
  process.env.TEST_BUILT === 'true' && process.env.NODE_V8_COVERAGE === undefined
    ? [...NODE_ARGUMENTS, '--conditions=built']
    : NODE_ARGUMENTS

/**
 * The address of a module of ours, such as `lib/index`, for a process that the tests start: as
 * TypeScript where they are run so themselves, else compiled, which starts in a third of the time.
 */
export function moduleUrl(module: string): string {
  return new URL(`${module}${EXTENSION}`, ROOT).href
}

export function moduleFile(module: string): string {
  return fileURLToPath(moduleUrl(module))
}

let building: Promise<unknown> | null = null

/** Builds the package as it is published, once a process, unless `npm test` has built it. */
export async function built(): Promise<void> {
  if (process.env.TEST_BUILT === 'true') return
  building ??= promisify(execFile)('npm', ['run', '-s', 'build'])
  await building
}

/** Some programs of ours import the package by its name, hence as it was compiled last. */
export async function builtWhereNeeded(): Promise<void> {
  if (RUNS_TYPESCRIPT) await built()
}
