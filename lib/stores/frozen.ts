/** Freezes a document with everything in it. */
export function frozen<T extends object>(value: T): T {
  for (const name in value) {
    const member: unknown = Object.hasOwn(value, name) ? value[name] : null
    if (typeof member === 'object' && member !== null) frozen(member)
  }
  return Object.freeze(value)
}
