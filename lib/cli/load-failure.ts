import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isConfigurationError } from '../errors/configuration-error.js'

/** Errors of Node's loader that name only a module or a file, never data of a program. */
const OF_THE_LOADER = [
  'ERR_MODULE_NOT_FOUND',
  'ERR_PACKAGE_PATH_NOT_EXPORTED',
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_UNSUPPORTED_DIR_IMPORT',
]
/** A name or a code, as opposed to a text, which can hold data. */
const WORD = /^[\w$.]{1,60}$/
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
  try {
    return saidOf(error, file)
  } catch {
    return `it throws an error that cannot be read. ${hidden(file)}`
  }
}

function saidOf(error: Error, file: string): string {
  const thrownAt = frameOf(error, file)
  if (isConfigurationError(error)) return `${error.message}${at(thrownAt)}`
  if (isOfTheLoader(error)) return `${saidByLoader(error)}${at(positionOfSyntax(file, error))}`
  return `it throws ${kindOf(error)}${at(thrownAt)}. ${hidden(file)}`
}

function hidden(file: string): string {
  return `Its message may hold a secret and is not shown; run "node ${file}" to read it.`
}

function kindOf(error: Error): string {
  const words = [error.name, Reflect.get(error, 'code')].filter(
    (word: unknown) => typeof word === 'string' && WORD.test(word),
  )
  return words.length === 0 ? 'an error' : words.join(' ')
}

/**
 * Whether Node could not find or parse the code. Goes by where the error was made: `JSON.parse`
 * throws SyntaxErrors too, with data in them, and a host's error can bear any code.
 */
function isOfTheLoader(error: Error): boolean {
  const [, first = ''] = /^ +at (.*)$/m.exec(framesOf(error)) ?? []
  if (!/\bnode:internal\/(modules|vm)\b/.test(first)) return false
  return error instanceof SyntaxError || OF_THE_LOADER.includes(String(Reflect.get(error, 'code')))
}

/** The stack without the message, which can hold lines that look like frames. */
function framesOf({ stack = '', message }: Error): string {
  const from = stack.indexOf(message)
  return from < 0 ? stack : stack.slice(from + message.length)
}

/** The parser quotes code, which may be a secret with a quotation mark in it; the linker only names. */
function saidByLoader(error: Error): string {
  const { message } = error
  const linking = message.startsWith('The requested module')
  if (linking || !(error instanceof SyntaxError)) return message
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
