import { explain } from './explain.js'

/** What clients hang on their errors: the command or statement with its values, and what they were given. */
const CARRIED = [
  ...['command', 'lastNodeError'],
  ...['sql', 'query', 'parameters', 'detail', 'where'],
  'input',
  // HTTP clients: headers with credentials.
  ...['config', 'request', 'response', 'options'],
] as const
const DEEPEST = 8

/**
 * A cause that a host may write to a log as a whole. One that carries commands or statements, itself or
 * further down, becomes an error with name, code and message alone; every other one stays what it is.
 */
export function bareCause(cause: unknown): unknown {
  try {
    return carries(cause, DEEPEST) ? bare(cause) : cause
  } catch {
    return new Error('an error that cannot be read')
  }
}

function carries(error: unknown, depth: number): boolean {
  if (depth === 0 || !(error instanceof Error)) return false
  if (CARRIED.some((name) => Reflect.get(error, name) !== undefined)) return true
  const errors: unknown = Reflect.get(error, 'errors')
  const inside: readonly unknown[] = Array.isArray(errors) ? errors : []
  return [...inside, error.cause].some((one) => carries(one, depth - 1))
}

function bare(error: unknown): Error {
  const { name, code } = Object(error) as { name?: unknown; code?: unknown }
  const kept = new Error(explain(error))
  if (typeof name === 'string') Object.assign(kept, { name })
  return code === undefined ? kept : Object.assign(kept, { code })
}
