import type { OptionName, Values } from './arguments.js'

/** The outcome of a command. */
export interface Outcome {
  /** False: it was refused, or found something wrong. The exit code is 1 then. */
  readonly ok: boolean
  /** For people. Goes to the error stream unless `ok`. */
  readonly text: string
  /** With `--json`. */
  readonly json: unknown
}

/** A command of the command line tool. */
export interface Command {
  /** A line in the list of commands. */
  readonly summary: string
  /** The arguments after the command's name. */
  readonly usage: string
  /** A line for each option, and further advice. */
  readonly help: string
  /** Its options beside `--help`. */
  readonly options: readonly OptionName[]
  /** Whether words may follow the command's name. `run` checks them. Default: they are refused. */
  readonly takesWords?: boolean
  run(values: Values, words?: readonly string[]): Promise<Outcome>
}

/** The outcome of a command that has a sentence to say. */
export function said(text: string): Outcome {
  return { ok: true, text, json: { text } }
}
