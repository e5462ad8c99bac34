import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { ConfigurationError } from '../errors/configuration-error.js'

/** Errors of Node's loader that name a module or a file, and nothing that a program has read. */
const OF_THE_LOADER = [
  'ERR_MODULE_NOT_FOUND',
  'ERR_PACKAGE_PATH_NOT_EXPORTED',
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_UNSUPPORTED_DIR_IMPORT',
]
const OURS: ConfigurationError['name'] = 'ConfigurationError'
const LONGEST_CHECK = 5000

/**
 * Why a module could not be loaded, in one line that names file and position. What the host's own code
 * or a driver says is not repeated: connection strings are in such messages, and this is printed.
 */
export function loadFailure(file: string, error: unknown): string {
  const why = whyNot(file, error)
  return `${file} cannot be loaded: ${why}`
}

function whyNot(file: string, error: unknown): string {
  if (!(error instanceof Error)) return `it throws something that is no error. ${hidden(file)}`
  const thrownAt = frameOf(error, file)
  // By name: the app may have another copy of this package.
  if (error.name === OURS) return `${error.message}${at(thrownAt)}`
  if (isOfTheLoader(error)) return `${error.message}${at(positionOfSyntax(file, error))}`
  const code: unknown = Reflect.get(error, 'code')
  const kind = [error.name, ...(typeof code === 'string' ? [code] : [])].join(' ')
  return `it throws ${kind}${at(thrownAt)}. ${hidden(file)}`
}

function hidden(file: string): string {
  return `Its message may hold a secret and is not shown; run "node ${file}" to read it.`
}

/** Whether Node could not find or parse the code. `JSON.parse` throws SyntaxErrors too, with data in them. */
function isOfTheLoader(error: Error): boolean {
  const [, first = ''] = /^ +at (.*)$/m.exec(error.stack ?? '') ?? []
  const parsing = error instanceof SyntaxError && /\bnode:internal\/(modules|vm)\b/.test(first)
  return parsing || OF_THE_LOADER.some((code) => code === Reflect.get(error, 'code'))
}

/** Where it was thrown: in the file itself, else in the first one that is not Node's. */
function frameOf({ stack = '' }: Error, file: string): string | null {
  const frames = [...stack.matchAll(/^ +at .*?((?:file:\/\/)?\/[^\n()]+:\d+:\d+)\)?$/gm)]
  const places = frames.map(([, place = '']) => place)
  const url = pathToFileURL(resolve(file)).href
  const place = places.find((one) => one.startsWith(`${url}:`)) ?? places[0]
  return place === undefined ? null : pathOf(place)
}

/** A linker's error begins with its position; for a parser's the file is parsed once more. */
function positionOfSyntax(file: string, error: Error): string | null {
  if (!(error instanceof SyntaxError)) return null
  const written = positionIn(error.stack ?? '')
  if (written !== null) return written
  const options = { encoding: 'utf8', timeout: LONGEST_CHECK } as const
  return positionIn(spawnSync(process.execPath, ['--check', file], options).stderr ?? '')
}

function positionIn(text: string): string | null {
  const [, place] = /^((?:file:\/\/)?\/[^\n]+:\d+)$/m.exec(text) ?? []
  return place === undefined ? null : pathOf(place)
}

function pathOf(place: string): string {
  const [, url = place, position = ''] = /^(.*?)((?::\d+)+)$/.exec(place) ?? []
  return `${url.startsWith('file:') ? fileURLToPath(url) : url}${position}`
}

function at(place: string | null): string {
  return place === null ? '' : ` (${place})`
}
