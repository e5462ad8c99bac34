/** The members of an object by their names. */
export type Members = Readonly<Record<string, unknown>>

/** What no copy is made of. */
const ODD = Symbol('odd')

/**
 * A copy of an object's own members, and of all that is in them.
 *
 * @param without a member that is left out, if any
 * @returns null where something in it is not plain: two values that differ must have copies that differ
 */
export function membersOf(of: object, without: string | null = null): Members | null {
  const copies: Record<string, unknown> = {}
  const given = of as Members
  for (const name in given) {
    if (name === without || !Object.hasOwn(given, name)) continue
    const copy = copyOf(given[name])
    // An assignment would not make a member of that name.
    if (copy === ODD || name === '__proto__') return null
    copies[name] = copy
  }
  return copies
}

/** Whether an object still is as `membersOf` has copied it. */
export function isAsCopied(of: object, copies: Members, without: string | null = null): boolean {
  const given = of as Members
  let left = Object.keys(copies).length
  for (const name in given) {
    if (name === without || !Object.hasOwn(given, name)) continue
    if (!Object.hasOwn(copies, name) || !isSame(given[name], copies[name])) return false
    left -= 1
  }
  return left === 0
}

function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return isScalar(value) ? value : ODD
  if (isList(value)) {
    const copies = value.map(copyOf)
    return copies.includes(ODD) ? ODD : copies
  }
  return isPlainObject(value) ? (membersOf(value) ?? ODD) : ODD
}

function isSame(value: unknown, copy: unknown): boolean {
  if (typeof copy !== 'object' || copy === null) return Object.is(value, copy)
  if (!Array.isArray(copy)) return isPlainObject(value) && isAsCopied(value, copy as Members)
  return (
    isList(value) &&
    value.length === copy.length &&
    value.every((one, nth) => isSame(one, copy[nth]))
  )
}

/** Values whose JSON no other value has. */
function isScalar(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  return value === null || typeof value === 'string' || typeof value === 'boolean'
}

/** Without holes, and without members beside its elements. */
function isList(value: unknown): value is readonly unknown[] {
  return (
    Array.isArray(value) &&
    Object.getPrototypeOf(value) === Array.prototype &&
    Object.keys(value).length === value.length
  )
}

function isPlainObject(value: unknown): value is object {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  )
}
