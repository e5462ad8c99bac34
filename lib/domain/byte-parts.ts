import { type ByteReader, BytesError, type ByteWriter } from './bytes.js'

/** @throws BytesError for an object with more members, or fewer: what is not written would be lost */
export function requireMembers(value: object, members: number): void {
  let left = members
  // Without the list of names, which would be made for each code and each login that has ended.
  for (const name in value) if (Object.hasOwn(value, name)) left -= 1
  if (left !== 0) throw new BytesError('an unknown member')
}

export function writeList<T>(
  writer: ByteWriter,
  values: readonly T[],
  write: (value: T) => void,
): void {
  writer.count(values.length)
  for (const value of values) write(value)
}

export function readList<T>(reader: ByteReader, read: (reader: ByteReader) => T): T[] {
  const values: T[] = []
  for (let left = reader.count(); left > 0; left -= 1) values.push(read(reader))
  return values
}

export function readTime(reader: ByteReader): number {
  return reader.time()
}
