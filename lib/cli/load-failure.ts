import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { ConfigurationError } from '../errors/configuration-error.js'

/** Errors of Node's loader that name only a module or a file, never data of a program. */
const OF_THE_LOADER = [
  'ERR_MODULE_NOT_FOUND',
  'ERR_PACKAGE_PATH_NOT_EXPORTED',
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_UNSUPPORTED_DIR_IMPORT',
]
const OURS: ConfigurationError['name'] = 'ConfigurationError'
const LONGEST_CHECK = 5000

/**
 * The reason why a module could not be loaded, in one line with file and position. It leaves out
 * messages of the host's code and of drivers, because they can hold connection strings and this
 * line is printed.
 */
export function loadFailure(file: string, error: unknown): string {
  const why = whyNot(file, error)
  return `${file} cannot be loaded: ${why}`
}

/** As `loadFailure`, for an error that nobody awaited or caught, while it was loaded or later. */
export function lateFailure(file: string, error: unknown): string {
  return `${file} has ended the command: ${whyNot(file, error)}`
}

/** A process without work ends, whatever it still awaits. */
export function neverSettles(file: string | null): string {
  return `${file ?? 'The command'} awaits something that never settles.`
}

function whyNot(file: string, error: unknown): string {
  if (!(error instanceof Error)) return `it throws something that is no error. ${hidden(file)}`
  const thrownAt = frameOf(error, file)
  // Compared by name, because the app may have another copy of this package.
  if (error.name === OURS) return `${error.message}${at(thrownAt)}`
  if (isOfTheLoader(error)) return `${saidByLoader(error)}${at(positionOfSyntax(file, error))}`
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

/** The parser quotes code, which may be a secret with a quotation mark in it; the linker only names. */
function saidByLoader({ name, message }: Error): string {
  if (name !== 'SyntaxError' || message.startsWith('The requested module')) return message
  return message.replace(/\s*(['"`]).*\1/s, '').replace(/:\s.*$/s, '')
}

/** The position of the throw: in the file itself, or else in the first file that is not Node's. */
function frameOf({ stack = '' }: Error, file: string): string | null {
  const frames = [...stack.matchAll(/^ +at .*?((?:file:\/\/)?\/[^\n()]+:\d+:\d+)\)?$/gm)]
  const places = frames.map(([, place = '']) => place)
  const url = pathToFileURL(resolve(file)).href
  const place = places.find((one) => one.startsWith(`${url}:`)) ?? places[0]
  return place === undefined ? null : pathOf(place)
}

/** A linker error begins with its position. For a parser error, parse the file once more. */
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
