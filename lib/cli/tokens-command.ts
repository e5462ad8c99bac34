import { FEW_MISSES_A_DAY } from '../domain/miss-budget.js'
import { ConfigurationError } from '../errors/configuration-error.js'
import { system } from '../ports/system.js'
import { readTokens } from '../tokens/read-tokens.js'
import { type App, withApp } from './app.js'
import { UsageError } from './arguments.js'
import type { Command, Outcome } from './command.js'
import { interruptible } from './interruption.js'
import { progress } from './progress.js'
import { bytesOf, countIn, keyOf, UsersBySerial } from './token-files.js'
import { type Import, importTokens } from './token-import.js'

/** `tokens import`: many hardware tokens from a file. */
export const tokens: Command = {
  summary: 'Assigns the hardware tokens of a file to their users.',
  usage:
    'import FILE --config FILE [--users FILE] [--key-file FILE] [--dry-run] [--again] [--reason TEXT]',
  help: `FILE is PSKC (RFC 6030) or CSV. Names in a first line tell the columns of a CSV file: serial, secret,
type (totp or hotp), digits, period, algorithm, counter, user.
--config FILE    the options of createSecondStep
--users FILE     CSV with two columns, serial and user: whose token it is; counts before what FILE says
--key-file FILE  the pre-shared key of an encrypted PSKC file, in hex or base64
--dry-run        tells what would be done, and changes nothing
--again          assigns also tokens that were removed; codes that were used stay used
--reason TEXT    for the audit log and the users, who read it in the mail
--json           prints the result as JSON
Users are named by the id that your app knows. A line that fails is told with its number, and the rest
is imported. Safe to run again: a token that its user has already is left as it is. No seed is printed.`,
  options: ['config', 'users', 'key-file', 'dry-run', 'again', 'reason', 'json'],
  takesWords: true,
  run: async (values, words = []) => {
    const file = fileIn(words)
    const key = await keyOf(values['key-file'])
    const users = values.users === undefined ? null : await UsersBySerial.read(values.users)
    const dryRun = values['dry-run'] === true
    const total = await countIn(file)
    const work = async (app: App, signal: AbortSignal) => {
      if (app.findSubject === null) {
        throw new ConfigurationError('tokens are for users of your app: give `users` in the config')
      }
      const told = progress(dryRun ? 'Checked' : 'Imported')
      told.begin(total)
      const entries = readTokens(bytesOf(file), { key, now: system.now() })
      const options = { users, told, signal, dryRun, again: values.again === true }
      const done = await importTokens(app, entries, options).finally(told.end)
      const isWhole = done.stoppedAt === null && done.interruptedAt === null
      return report(done, { dryRun, unmatched: isWhole ? (users?.left ?? 0) : 0 })
    }
    // The mails too are sent before it ends.
    return interruptible((signal) => withApp(values, (app) => work(app, signal)))
  },
}

function fileIn([action, file, ...more]: readonly string[]): string {
  if (action !== 'import') throw new UsageError('Say what to do with tokens: tokens import FILE.')
  if (file === undefined) throw new UsageError('No file of tokens: tokens import FILE.')
  if (more.length > 0) throw new UsageError(`Unexpected "${more.join(' ')}".`)
  return file
}

function report(
  done: Import,
  { dryRun, unmatched }: { readonly dryRun: boolean; readonly unmatched: number },
): Outcome {
  const { faults, failed, assigned, alreadyThere, passedOver, notices, stoppedAt } = done
  const { weak, weakLine, fewTries, fewTriesLine, interruptedAt } = done
  const untold = failed - faults.length
  const lines = [
    ...notices.map(({ line, reason }) => `Line ${line}: ${reason}.`),
    ...faults.map(({ line, reason }) => `Line ${line}: ${reason}.`),
    ...(untold > 0 ? [`${untold} more lines failed.`] : []),
    ...(weak > 0
      ? [`Weak seeds, of less than 160 bits: ${weak}, the first on line ${weakLine}.`]
      : []),
    ...(fewTries > 0
      ? [
          `Tokens whose users ${dryRun ? 'would' : 'now'} have fewer than ${FEW_MISSES_A_DAY} wrong codes a day before a lock: ${fewTries}, the first on line ${fewTriesLine}.`,
        ]
      : []),
    ...(passedOver > 0 ? [`Passed over, as --users names nobody: ${passedOver}.`] : []),
    ...(unmatched > 0
      ? [`Serial numbers of --users that the file does not have: ${unmatched}.`]
      : []),
    ...(stoppedAt === null
      ? []
      : [`Given up at line ${stoppedAt}, after too many errors in a row. Run it again.`]),
    ...(interruptedAt === null
      ? []
      : [`Interrupted at line ${interruptedAt}. Run it again for the rest.`]),
    `${dryRun ? 'Would assign' : 'Assigned'} ${assigned}, there already ${alreadyThere}, failed ${failed}.`,
  ]
  const ok = failed === 0 && stoppedAt === null && interruptedAt === null
  return { ok, text: lines.join('\n'), json: { dryRun, ...done, unmatched } }
}
