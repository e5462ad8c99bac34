import { ConfigurationError } from '../errors/configuration-error.js'

/** @throws ConfigurationError where it does not hold */
export function check(holds: boolean, message: string): asserts holds {
  if (!holds) throw new ConfigurationError(message)
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== ''
}

export function isListOf<T>(
  value: unknown,
  is: (item: unknown) => item is T,
): value is readonly T[] {
  return Array.isArray(value) && value.every(is)
}

/** Whether something has these methods: what the host hands over is known by them. */
export function has(value: unknown, methods: readonly string[]): boolean {
  return methods.every((method) => typeof Reflect.get(Object(value), method) === 'function')
}
