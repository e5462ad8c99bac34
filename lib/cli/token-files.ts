import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { serialKey } from '../domain/serial-claim.js'
import { columnsOf } from '../tokens/csv-columns.js'
import { csvRows } from '../tokens/csv-rows.js'
import { decode } from '../tokens/decode.js'
import { readPreSharedKey } from '../tokens/pre-shared-key.js'
import { readUsers } from '../tokens/read-users.js'
import { UsageError } from './arguments.js'
import { faultText } from './token-faults.js'

// With a byte order mark, or without.
const BEGINS_AS_XML = /^(?:\xef\xbb\xbf)?\s*</
const OPENING = 'KeyPackage'

/**
 * The bytes of a file, as they are read.
 *
 * @throws UsageError that names the file, and nothing that stands in it
 */
export async function* bytesOf(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(file)
  } catch (error) {
    throw unreadable(file, error)
  }
}

/**
 * How many tokens a file has, about: its rows, or half of the names of its elements. For the
 * progress alone. Null: the file can be read once only.
 *
 * @throws UsageError where it cannot be read
 */
export async function countIn(file: string): Promise<number | null> {
  const found = await stat(file).catch((error: unknown) => {
    throw unreadable(file, error)
  })
  if (!found.isFile()) return null
  return (await isXml(file)) ? packagesIn(file) : rowsIn(file)
}

async function isXml(file: string): Promise<boolean> {
  for await (const piece of bytesOf(file)) {
    return BEGINS_AS_XML.test(Buffer.from(piece.subarray(0, 1000)).toString('latin1'))
  }
  return false
}

async function packagesIn(file: string): Promise<number> {
  let [names, carried] = [0, '']
  for await (const piece of bytesOf(file)) {
    const text = carried + Buffer.from(piece).toString('latin1')
    names += text.split(OPENING).length - 1
    carried = text.slice(1 - OPENING.length)
  }
  return Math.floor(names / 2)
}

async function rowsIn(file: string): Promise<number> {
  let [rows, headers] = [0, 0]
  for await (const row of csvRows(decode(bytesOf(file)))) {
    rows += 1
    if (rows === 1 && 'cells' in row && columnsOf(row.cells)?.isHeader === true) headers = 1
  }
  return rows - headers
}

/** @throws UsageError for a file that cannot be read, or holds no key. It never tells what it holds */
export async function keyOf(file: string | undefined): Promise<Uint8Array | null> {
  if (file === undefined) return null
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw unreadable(file, error)
  })
  const key = readPreSharedKey(text)
  if (key !== null) return key
  throw new UsageError(
    `--key-file ${file} holds no key: it must be 16 or 32 bytes, in hex or base64.`,
  )
}

/** Whose token has which serial number, by `--users`. */
export class UsersBySerial {
  readonly #users = new Map<string, string>()

  /** @throws UsageError for a line that cannot be used: a token of the wrong user is worse than none */
  static async read(file: string): Promise<UsersBySerial> {
    const users = new UsersBySerial()
    for await (const read of readUsers(bytesOf(file))) {
      if ('fault' in read) {
        throw new UsageError(`--users ${file}, line ${read.line}: ${faultText(read.fault)}.`)
      }
      const key = serialKey(read.serial)
      const before = users.#users.get(key)
      if (before !== undefined && before !== read.user) {
        throw new UsageError(
          `--users ${file}, line ${read.line}: the serial number has another user already.`,
        )
      }
      users.#users.set(key, read.user)
    }
    return users
  }

  /** The user of this serial number, who is taken off the list, or null. */
  take(serial: string): string | null {
    const key = serialKey(serial)
    const user = this.#users.get(key)
    this.#users.delete(key)
    return user ?? null
  }

  /** How many serial numbers the file of tokens did not have. */
  get left(): number {
    return this.#users.size
  }
}

function unreadable(file: string, error: unknown): UsageError {
  const code: unknown = Reflect.get(Object(error), 'code')
  return new UsageError(`The file ${file} cannot be read (${String(code ?? 'unknown error')}).`)
}
