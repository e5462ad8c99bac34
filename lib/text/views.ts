import { existsSync, readFileSync, statSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ejs, { type TemplateFunction } from 'ejs'
import { ConfigurationError } from '../errors/configuration-error.js'
import { includedIn, viewsIn, warnOfMisspeltViews } from './host-views.js'
import { packageFile } from './package-files.js'

/** The EJS views: ours, and the host's in front of them. */
export interface Views {
  /** Whether there is a view of that name. */
  has(name: string): boolean
  /**
   * Makes the mistakes of a view show at start-up: one of the host's is compiled, and those that it includes.
   * Ours, which tests have compiled, need only be there: each is compiled when it is first written.
   *
   * @throws ConfigurationError where there is none, or it can't be compiled
   */
  check(name: string): void
  /**
   * Writes a view. It sees the values, and `include(name, more)`, which looks in the host's folder
   * first wherever the caller is. What `<%= %>` writes is escaped, but in a `.txt.ejs` it is not.
   */
  write(name: string, values: object): string
  /**
   * Checks all of the host's files that replace one of ours, and warns of names that nearly do.
   *
   * @param more names that replace one as well
   * @throws ConfigurationError as `check`
   */
  checkHosts(more: readonly string[]): void
}

const OURS = fileURLToPath(packageFile('views'))

/**
 * @param hostFolder a file in it replaces our view or part of that name
 * @throws ConfigurationError where the folder is none
 */
export function ejsViews(hostFolder?: string): Views {
  const folders = hostFolder === undefined ? [OURS] : [folderOf(hostFolder), OURS]
  // Not EJS's own cache: it is shared by all instances and keeps the first one's folders.
  const compiled = new Map<string, TemplateFunction>()

  const view = (name: string): TemplateFunction => {
    const known = compiled.get(name)
    if (known !== undefined) return known
    const made = compile(name, foundFile(name, folders))
    compiled.set(name, made)
    return made
  }
  const write = (name: string, values: object): string =>
    view(name)({
      ...values,
      include: (other: string, more: object = {}) => write(other, { ...values, ...more }),
    })
  const check = (name: string, includedBy?: string): void => {
    const file = foundFile(name, folders, includedBy)
    if (compiled.has(name) || file === resolve(OURS, withEnding(name))) return
    view(name)
    for (const other of includedIn(readFileSync(file, 'utf8'))) check(other, file)
  }
  return {
    has: (name) => fileOf(name, folders) !== undefined,
    check: (name) => check(name),
    write,
    checkHosts(more) {
      if (hostFolder === undefined) return
      const replaced = [...viewsIn(OURS), ...more]
      warnOfMisspeltViews(resolve(hostFolder), replaced)
      for (const name of replaced) if (fileOf(name, folders) !== undefined) check(name)
    },
  }
}

function fileOf(name: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => resolve(folder, withEnding(name))).find((path) => existsSync(path))
}

function withEnding(name: string): string {
  return extname(name) === '' ? `${name}.ejs` : name
}

function foundFile(name: string, folders: readonly string[], includedBy?: string): string {
  const file = fileOf(name, folders)
  if (file !== undefined) return file
  throw new ConfigurationError(
    `views: there is no view "${withEnding(name)}"${includedBy === undefined ? '' : `, which ${includedBy} includes`}`,
  )
}

function compile(name: string, filename: string): TemplateFunction {
  const escaping = name.endsWith('.txt.ejs') ? { escape: (value: unknown) => String(value) } : {}
  try {
    return ejs.compile(readFileSync(filename, 'utf8'), { filename, async: false, ...escaping })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigurationError(`views: ${filename} can't be compiled: ${why}`, { cause })
  }
}

function folderOf(path: string): string {
  const folder = resolve(path)
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return folder
  throw new ConfigurationError(`views: ${folder} is no folder; give the one with your views`)
}
