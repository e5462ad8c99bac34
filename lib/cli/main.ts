#!/usr/bin/env node
import { readArguments, refuseOthers, UsageError } from './arguments.js'
import type { Command, Outcome } from './command.js'
import { COMMANDS } from './commands.js'
import { messageOf } from './message.js'
import { printable, printableJson } from './printable.js'

const FILE = `FILE is an ES module whose default export is the app's options of createSecondStep. What the
operator does is written to the audit log, and mailed to the user where the options have "mail".
Exit codes: 0 done, 1 refused or failed, 2 used wrongly.`

function usage(): string {
  const longest = Math.max(...[...COMMANDS.keys()].map(({ length }) => length))
  const lines = [...COMMANDS].map(([name, { summary }]) => `  ${name.padEnd(longest)}  ${summary}`)
  return `Usage: npx passport-second-step <command>

${lines.join('\n')}

"npx passport-second-step <command> --help" tells more about one.
${FILE}
`
}

function usageOf(name: string, { usage, summary, help }: Command): string {
  const line = `Usage: npx passport-second-step ${name} ${usage}`.trimEnd()
  return `${line}\n\n${summary}\n${help}\n`
}

interface Ending {
  readonly text: string
  readonly exitCode: number
}

async function run(args: string[]): Promise<Ending> {
  const { values, positionals } = readArguments(args)
  const [name, ...more] = positionals
  const command = name === undefined ? undefined : COMMANDS.get(name)
  if (name === undefined || command === undefined) {
    if (values.help === true && name === undefined) return { text: usage(), exitCode: 0 }
    throw new UsageError(name === undefined ? 'No command.' : `Unknown command "${name}".`)
  }
  if (values.help === true) return { text: usageOf(name, command), exitCode: 0 }
  if (more.length > 0) throw new UsageError(`Unexpected "${more.join(' ')}".`)
  refuseOthers(values, command.options)
  return endingOf(await command.run(values), values.json === true)
}

function endingOf({ ok, text, json }: Outcome, asJson: boolean): Ending {
  return { text: `${asJson ? printableJson(json) : printable(text)}\n`, exitCode: ok ? 0 : 1 }
}

/** The usage of the command that was meant, or of them all. */
function usageFor(args: readonly string[]): string {
  const name = args.find((arg) => COMMANDS.has(arg)) ?? ''
  const command = COMMANDS.get(name)
  return command === undefined ? usage() : usageOf(name, command)
}

/** Ends the process too: connections that a config has opened would keep it alive. */
function end(stream: NodeJS.WriteStream, { text, exitCode }: Ending): void {
  stream.write(text, () => process.exit(exitCode))
}

const args = process.argv.slice(2)
try {
  const ending = await run(args)
  // JSON is read by programs, wherever it came to.
  const printed = ending.exitCode === 0 || args.includes('--json')
  end(printed ? process.stdout : process.stderr, ending)
} catch (error) {
  const wrongUse = error instanceof UsageError
  if (args.includes('--json') && !wrongUse) {
    end(process.stdout, { text: `${printableJson({ error: messageOf(error) })}\n`, exitCode: 1 })
  }
  const text = `${printable(messageOf(error))}\n${wrongUse ? `\n${usageFor(args)}` : ''}`
  end(process.stderr, { text, exitCode: wrongUse ? 2 : 1 })
}
