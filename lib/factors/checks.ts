/** A check of a value that comes from a store. */
export type Check = (value: unknown) => boolean

export const text: Check = (value) => typeof value === 'string'
export const flag: Check = (value) => typeof value === 'boolean'
/** A whole number from 0 on: a count, a time in milliseconds. */
export const count: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0
/** A time step, or -1 for none. */
export const step: Check = (value) => Number.isSafeInteger(value) && Number(value) >= -1

export const oneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value)

export const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)

export const listOf =
  (check: Check, atMost = Number.POSITIVE_INFINITY): Check =>
  (value) =>
    Array.isArray(value) && value.length <= atMost && value.every(check)

/** An object with at least these members of its own. */
export const shape = (checks: Readonly<Record<string, Check>>): Check => {
  // Every request checks a record: its members are listed once.
  const members = Object.entries(checks)
  return (value) => {
    if (typeof value !== 'object' || value === null) return false
    const given = value as Readonly<Record<string, unknown>>
    for (const [key, check] of members) {
      if (!Object.hasOwn(given, key) || !check(given[key])) return false
    }
    return true
  }
}

/** A plain object all of whose members pass. */
export const recordOf =
  (check: Check): Check =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype &&
    Object.values(value).every(check)
