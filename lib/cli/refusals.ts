import { type OptionName, UsageError, type Values } from './arguments.js'

/** @throws UsageError where an option was given that the command does not have */
export function refuseOthers(values: Values, known: readonly OptionName[]): void {
  const other = Object.keys(values).find((name) => !known.some((one) => one === name))
  if (other !== undefined) throw new UsageError(`--${other} is not an option of this command.`)
}

/**
 * The file that `--config` names.
 *
 * @throws UsageError where there is none
 */
export function configIn({ config }: Values): string {
  return required(config, 'No config: give --config FILE.')
}

/** @throws UsageError where nothing was given */
export function required(value: string | undefined, message: string): string {
  if (value === undefined || value === '') throw new UsageError(message)
  return value
}

/** @throws UsageError for anything but digits between the bounds */
export function wholeNumber(name: OptionName, value: string, least: number, most: number): number {
  const number = /^\d{1,6}$/.test(value) ? Number(value) : Number.NaN
  if (number >= least && number <= most) return number
  throw new UsageError(`--${name} must be a whole number, ${least} to ${most}.`)
}

/** @throws UsageError for anything but one of the words */
export function oneOf<Word extends string>(
  name: OptionName,
  value: string,
  words: readonly Word[],
): Word {
  const found = words.find((word) => word === value)
  if (found !== undefined) return found
  throw new UsageError(`--${name} must be one of ${words.join(', ')}.`)
}
