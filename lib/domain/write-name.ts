/** The writes before it that a write names. Few, because every record carries them. */
const NAMED_BEFORE = 6
/** 48 random bits: enough to tell apart the writes of one document. */
const SHORT = 8

/**
 * The `writeId` of a write: its own random name, then the short names of the writes that it follows,
 * latest first. So a later version still tells that an earlier write took place.
 *
 * @param own in base64url
 * @param before the `writeId` of the version that it follows; empty if it is the first
 */
export function nameWrite(own: string, before: string): string {
  const earlier = before === '' ? [] : shortNames(before)
  return [own, ...earlier.slice(0, NAMED_BEFORE)].join('.')
}

/** The short names of the write and of those before it, latest first. */
export function shortNames(writeId: string): readonly string[] {
  const names: string[] = []
  for (let from = 0; from >= 0; ) {
    const end = writeId.indexOf('.', from)
    const name = end < 0 ? writeId.slice(from) : writeId.slice(from, end)
    names.push(name.length > SHORT ? name.slice(0, SHORT) : name)
    from = end < 0 ? -1 : end + 1
  }
  return names
}

/** The short name by which later writes name this one. */
export function shortName(writeId: string): string {
  const end = writeId.indexOf('.')
  return writeId.slice(0, end < 0 ? SHORT : Math.min(end, SHORT))
}

/** Whether a document with this `writeId` was made by the write of that name, or after it. */
export function isNamedBy(name: string, writeId: string): boolean {
  return shortNames(writeId).includes(shortName(name))
}
