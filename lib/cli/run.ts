import { readFileSync } from 'node:fs'
import { packageFile } from '../text/package-files.js'
import { readArguments, UsageError } from './arguments.js'
import type { Command, Outcome } from './command.js'
import { COMMANDS } from './commands.js'
import { lateFailure, neverSettles } from './load-failure.js'
import { messageOf } from './message.js'
import { printable, printableJson } from './printable.js'
import { refuseOthers } from './refusals.js'

const NAME = 'npx passport-second-step'
const FILE = `FILE is an ES module whose default export is the app's options of createSecondStep. What the
operator does is written to the audit log, and mailed to the user where the options have "mail".
Exit codes: 0 done, 1 refused or failed, 2 used wrongly.`

/** The exit code of a run, and what it prints. */
export interface Ending {
  readonly exitCode: 0 | 1 | 2
  readonly stdout: string
  readonly stderr: string
}

/** Runs what the command line says. Never rejects. */
export async function run(args: readonly string[]): Promise<Ending> {
  try {
    return await ending([...args])
  } catch (error) {
    return failed(error, args)
  }
}

/** The ending of a run by an error that nobody caught: of the config's code, or of a driver. */
export function uncaught(args: readonly string[], error: unknown): Ending {
  const file = configOf(args)
  return failed(file === null ? error : new Error(lateFailure(file, error)), args)
}

/** The ending of a run that awaits something, although nothing is left that could happen. */
export function unsettled(args: readonly string[]): Ending {
  return failed(new Error(neverSettles(configOf(args))), args)
}

function configOf(args: readonly string[]): string | null {
  try {
    return readArguments([...args]).values.config ?? null
  } catch {
    return null
  }
}

async function ending(args: string[]): Promise<Ending> {
  if (args.length === 0) return { exitCode: 2, stdout: '', stderr: usage() }
  const { values, positionals } = readArguments(args)
  const [name, ...more] = positionals
  if (name === undefined) return withoutCommand(values)
  if (name === 'help') return printed(more.length === 0 ? usage() : helpFor(more))
  const command = commandOf(name)
  if (values.help === true) return printed(usageOf(name, command))
  if (more.length > 0 && command.takesWords !== true) {
    throw new UsageError(`Unexpected "${more.join(' ')}".`)
  }
  refuseOthers(values, command.options)
  return endingOf(await command.run(values, more), values.json === true)
}

function withoutCommand({ help, version }: { help?: boolean; version?: boolean }): Ending {
  if (help === true) return printed(usage())
  if (version === true) return printed(`${ownVersion()}\n`)
  throw new UsageError('No command.')
}

function helpFor([name = '', ...more]: readonly string[]): string {
  const command = commandOf(name)
  const words = more.join(' ')
  const isKnown = command.takesWords === true && command.usage.startsWith(`${words} `)
  if (words !== '' && !isKnown) throw new UsageError(`Unexpected "${words}".`)
  return usageOf(name, command)
}

/** @throws UsageError */
function commandOf(name: string): Command {
  const command = COMMANDS.get(name)
  if (command !== undefined) return command
  throw new UsageError(`Unknown command "${name}".`)
}

function ownVersion(): string {
  return String(JSON.parse(readFileSync(packageFile('package.json'), 'utf8')).version)
}

function usage(): string {
  const longest = Math.max(...[...COMMANDS.keys()].map(({ length }) => length))
  const lines = [...COMMANDS].map(([name, { summary }]) => `  ${name.padEnd(longest)}  ${summary}`)
  return `Usage: ${NAME} <command>

${lines.join('\n')}

"${NAME} help <command>" tells more about one, "--version" the version.
${FILE}
`
}

function usageOf(name: string, { usage, summary, help }: Command): string {
  const line = `Usage: ${NAME} ${name} ${usage}`.trimEnd()
  return `${line}\n\n${summary}\n${help}\n`
}

function printed(stdout: string): Ending {
  return { exitCode: 0, stdout, stderr: '' }
}

function endingOf({ ok, text, json }: Outcome, asJson: boolean): Ending {
  const told = `${asJson ? printableJson(json) : printable(text)}\n`
  // A program reads the JSON, so it goes to the standard output even after a failure.
  const toStdout = ok || asJson
  return { exitCode: ok ? 0 : 1, stdout: toStdout ? told : '', stderr: toStdout ? '' : told }
}

function failed(error: unknown, args: readonly string[]): Ending {
  const message = messageOf(error)
  if (error instanceof UsageError) {
    const text = `${message} See "${NAME} ${helpOf(args)}".`
    return { exitCode: 2, stdout: '', stderr: `${printable(text)}\n` }
  }
  const asJson = args.includes('--json')
  const stdout = asJson ? `${printableJson({ error: message })}\n` : ''
  return { exitCode: 1, stdout, stderr: `${printable(message)}\n` }
}

/** A hint where to find help: for the command that was meant, if it is recognisable. */
function helpOf(args: readonly string[]): string {
  const name = args.find((arg) => COMMANDS.has(arg))
  return name === undefined ? 'help' : `help ${name}`
}
