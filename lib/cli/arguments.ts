import { parseArgs } from 'node:util'

/** Wrong use of the command line. The answer is one line, and exit code 2. */
export class UsageError extends Error {}

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
  config: { type: 'string' },
  json: { type: 'boolean' },
  user: { type: 'string' },
  actor: { type: 'string' },
  type: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  search: { type: 'string' },
  state: { type: 'string' },
  reason: { type: 'string' },
  days: { type: 'string' },
  mode: { type: 'string' },
  role: { type: 'string', multiple: true },
  accepts: { type: 'string', multiple: true },
  'grace-days': { type: 'string' },
  'code-attempts': { type: 'string' },
  'password-attempts': { type: 'string' },
  'backup-codes': { type: 'string' },
  limit: { type: 'string' },
  cursor: { type: 'string' },
  'dry-run': { type: 'boolean' },
  yes: { type: 'boolean' },
  again: { type: 'boolean' },
  users: { type: 'string' },
  'key-file': { type: 'string' },
  redis: { type: 'string' },
  prefix: { type: 'string' },
} as const

export type OptionName = keyof typeof OPTIONS

/** The values of the options, as text. */
export type Values = ReturnType<typeof readArguments>['values']

/** @throws UsageError for an option that there is none of, or one without its value */
export function readArguments(args: string[]) {
  try {
    const read = parseArgs({ args, allowPositionals: true, options: OPTIONS, tokens: true })
    refuseTwice(read.tokens.flatMap((token) => (token.kind === 'option' ? [nameOf(token)] : [])))
    return read
  } catch (error) {
    throw new UsageError(firstSentence(error))
  }
}

/** Node's message continues with guesses at what was meant. They are left out. */
function firstSentence(error: unknown): string {
  const { message } = error instanceof Error ? error : new Error(String(error))
  return `${message.split(/[.\n](?=\s|$)|\n/)[0]}.`
}

/** Of `--role` and `--accepts`, which may be given several times, each role is an option of its own. */
function nameOf({ name, value = '' }: { name: string; value?: string | undefined }): string {
  const [, role] = /^(.+)=/s.exec(value) ?? []
  return (name === 'role' || name === 'accepts') && role !== undefined ? `${name} ${role}` : name
}

/** Do not guess which of two users was meant. */
function refuseTwice(names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice !== undefined) throw new Error(`--${twice} was given twice.`)
}
