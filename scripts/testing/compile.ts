import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

/** A copy of the repository, in which everything is compiled. */
export const COMPILED = '.test-build'

const OF_TYPESCRIPT = ['lib', 'test', 'example-app', 'docs', 'scripts']
const AS_THEY_ARE = ['bench', 'views', 'messages', 'node_modules', 'dist', 'LICENSE']

/**
 * Compiles all TypeScript once, so that none of the many processes of the tests has to. The files
 * that are not compiled stand beside it as links: tests find them from where they are.
 */
export async function compile(): Promise<void> {
  rmSync(COMPILED, { recursive: true, force: true })
  mkdirSync(COMPILED)
  for (const name of [...AS_THEY_ARE, ...readdirSync('.').filter(isReadByTests)]) {
    symlinkSync(resolve(name), join(COMPILED, name))
  }
  for (const folder of OF_TYPESCRIPT) linkFiles(folder)
  linkPackage()
  const options = ['--noEmit', 'false', '--noCheck', '--sourceMap', '--outDir', COMPILED]
  await promisify(execFile)('node_modules/.bin/tsc', options)
}

function isReadByTests(name: string): boolean {
  return /^(tsconfig.*|\.c8rc)\.json$|\.md$/.test(name)
}

function linkFiles(folder: string): void {
  mkdirSync(join(COMPILED, folder))
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) linkFiles(path)
    else symlinkSync(resolve(path), join(COMPILED, path))
  }
}

/**
 * Who imports the package by its name gets the one that the tests are run with; where Node has the condition `built`, the
 * built one, which starts sooner.
 */
function linkPackage(): void {
  const given = JSON.parse(readFileSync('package.json', 'utf8'))
  const exports: unknown = JSON.parse(JSON.stringify(given.exports), (_key, entry) =>
    typeof entry?.default === 'string'
      ? { built: entry.default, default: asCompiled(entry) }
      : entry,
  )
  writeFileSync(join(COMPILED, 'package.json'), JSON.stringify({ ...given, exports }))
}

function asCompiled(entry: { readonly default: string }): string {
  return entry.default.replace('./dist/', './lib/')
}
