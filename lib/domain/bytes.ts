/** The kind of a string is in the two lowest bits of the number in front of it. */
const TEXT = 0
const BASE64URL = 1
const UUID = 2
const DOTTED = 3

const CANONICAL_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
/** The bytes of the later parts of a dotted string that are written without their lengths. */
const SHORT_PART = 6
/** A difference between times that is written as such. */
const FARTHEST = 2 ** 48

/** November 2023: the first time that is written is not far from it. */
const BEGINNING = 1_700_000_000_000

/** A value that has no bytes here, or bytes that have no value. */
export class BytesError extends Error {
  static override readonly name: string = 'BytesError'
}

/** Writes numbers, times and strings as few bytes. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(512)
  #length = 0
  #time = BEGINNING
  readonly #seen: string[] = []

  /** What was written; the writer is not to be used any more. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  /** A whole number from 0 on: seven bits a byte, the lowest first. */
  count(value: number): void {
    this.#grow(8)
    let rest = value
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes[this.#length++] = rest
  }

  /** A time, as how far it is from the time that was written before. */
  time(value: number): void {
    const far = value - this.#time
    this.#time = value
    if (Math.abs(far) < FARTHEST) {
      this.count(far < 0 ? -4 * far - 2 : 4 * far)
    } else {
      this.count(1)
      this.count(value)
    }
  }

  /** One byte. */
  byte(value: number): void {
    this.#grow(1)
    this.#bytes[this.#length++] = value
  }

  raw(bytes: Uint8Array): void {
    this.#grow(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /**
   * The bytes of what is base64url. By hand, because `Buffer` takes longer and takes anything.
   *
   * @returns false, and nothing is written, for what `isBase64url` says is none
   */
  base64url(text: string): boolean {
    const { length } = text
    this.#grow(length)
    const bytes = this.#bytes
    let at = this.#length
    let bits = 0
    for (let nth = 0; nth < length; nth += 1) {
      const digit = digitOf(text.charCodeAt(nth))
      if (digit === NO_DIGIT) return false
      bits = (bits << 6) | digit
      const over = nth & 3
      if (over !== 0) bytes[at++] = bits >> (6 - 2 * over)
    }
    if (!endsWell(length, bits)) return false
    this.#length = at
    return true
  }

  ascii(text: string): void {
    this.#grow(text.length)
    for (let nth = 0; nth < text.length; nth += 1) {
      this.#bytes[this.#length++] = text.charCodeAt(nth)
    }
  }

  /** @throws BytesError for half a pair of surrogates */
  string(value: string): void {
    if (value.length === 36 && CANONICAL_UUID.test(value)) {
      this.count(UUID)
      this.raw(Buffer.from(value.replaceAll('-', ''), 'hex'))
      return
    }
    if (value !== '') {
      const before = this.#length
      this.count(sizeOf(value) * 4 + BASE64URL)
      if (this.base64url(value)) return
      this.#length = before
    }
    const parts = value.split('.')
    if (parts.length > 1 && parts.length < 10) this.#dotted(parts)
    else this.#text(value)
  }

  #text(value: string): void {
    const bytes = Buffer.from(value)
    if (bytes.toString() !== value) throw new BytesError('a string that UTF-8 does not have')
    this.count(bytes.length * 4 + TEXT)
    this.raw(bytes)
  }

  /** A string that may have been written before, or null. */
  repeated(value: string | null): void {
    const at = value === null ? -1 : this.#seen.indexOf(value)
    if (value === null || at >= 0) {
      this.count(at + 2)
      return
    }
    this.count(0)
    this.string(value)
    this.#seen.push(value)
  }

  /** The first part, then the others: without their lengths where all have the usual one. */
  #dotted([first = '', ...others]: readonly string[]): void {
    const areShort = others.every((part) => isBase64url(part) && sizeOf(part) === SHORT_PART)
    this.count((others.length * 2 + Number(areShort)) * 4 + DOTTED)
    this.string(first)
    for (const part of others) {
      if (areShort) this.base64url(part)
      else this.string(part)
    }
  }

  #grow(by: number): void {
    if (this.#length + by <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(2 * (this.#length + by))
    larger.set(this.written)
    this.#bytes = larger
  }
}

/** Reads what a `ByteWriter` has written. Each method throws a BytesError beyond the end. */
export class ByteReader {
  readonly #bytes: Buffer
  readonly #seen: string[] = []
  #at: number
  #time = BEGINNING

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  count(): number {
    const first = this.#bytes[this.#at]
    if (first !== undefined && first < 0x80) {
      this.#at += 1
      return first
    }
    let value = 0
    let weight = 1
    for (;;) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw new BytesError('the bytes end early')
      value += (byte & 0x7f) * weight
      if (byte < 0x80) break
      weight *= 0x80
    }
    if (!Number.isSafeInteger(value)) throw new BytesError('a number that is too large')
    return value
  }

  time(): number {
    const far = this.count()
    if (far === 1) this.#time = this.count()
    else this.#time += far % 4 === 0 ? far / 4 : -(far + 2) / 4
    if (!Number.isSafeInteger(this.#time) || this.#time < 0) throw new BytesError('no time')
    return this.#time
  }

  /** Whether exactly so many bytes were read. */
  isAt(end: number): boolean {
    return this.#at === end
  }

  base64url(length: number): string {
    if (length === SHORT_PART) return this.#shortPart()
    return this.#text('base64url', length)
  }

  /** Many of one length, one after another. A call of Buffer's for each would take twice as long. */
  base64urls(length: number, times: number): readonly string[] {
    const padded = 3 * Math.ceil(length / 3)
    const [bytes, from, end] = [this.#bytes, this.#at, this.#at + length * times]
    if (Math.max(end, times) > bytes.length) throw new BytesError('the bytes end early')
    this.#at = end
    const together = Buffer.allocUnsafe(padded * times)
    for (let nth = 0; nth < times; nth += 1) {
      const [source, target] = [from + nth * length, nth * padded]
      for (let at = 0; at < length; at += 1) together[target + at] = bytes[source + at] ?? 0
      for (let at = length; at < padded; at += 1) together[target + at] = 0
    }
    const text = together.toString('base64url')
    const [step, characters] = [(padded / 3) * 4, Math.ceil((length * 4) / 3)]
    const read: string[] = []
    for (let nth = 0; nth < times; nth += 1) {
      read.push(text.slice(nth * step, nth * step + characters))
    }
    return read
  }

  #shortPart(): string {
    const [bytes, at] = [this.#bytes, this.#at]
    if (at + SHORT_PART > bytes.length) throw new BytesError('the bytes end early')
    this.#at += SHORT_PART
    let text = ''
    for (let nth = at; nth < this.#at; nth += 3) {
      const three = ((bytes[nth] ?? 0) << 16) | ((bytes[nth + 1] ?? 0) << 8) | (bytes[nth + 2] ?? 0)
      text += (PAIRS[three >> 12] ?? '') + (PAIRS[three & 4095] ?? '')
    }
    return text
  }

  /** Read where it stands: a part of the bytes as a buffer of its own would cost more than its text. */
  #text(encoding: 'base64url' | 'hex' | 'utf8' | 'latin1', length: number): string {
    const end = this.#at + length
    if (end > this.#bytes.length) throw new BytesError('the bytes end early')
    const read = this.#bytes.toString(encoding, this.#at, end)
    this.#at = end
    return read
  }

  /** UTF-8 takes Buffer three times as long as what is plain ASCII. */
  #isAscii(length: number): boolean {
    for (let at = this.#at; at < this.#at + length; at += 1) {
      if ((this.#bytes[at] ?? 0) > 0x7f) return false
    }
    return true
  }

  string(): string {
    const head = this.count()
    const size = Math.floor(head / 4)
    switch (head % 4) {
      case BASE64URL:
        return this.base64url(size)
      case UUID: {
        const hex = this.#text('hex', 16)
        return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
      }
      case DOTTED: {
        const isShort = size % 2 === 1
        let value = this.string()
        for (let left = Math.floor(size / 2); left > 0; left -= 1) {
          value += `.${isShort ? this.base64url(SHORT_PART) : this.string()}`
        }
        return value
      }
      default:
        return this.#text(this.#isAscii(size) ? 'latin1' : 'utf8', size)
    }
  }

  strings(times: number): readonly string[] {
    const read: string[] = []
    while (read.length < times) read.push(this.string())
    return read
  }

  repeated(): string | null {
    const head = this.count()
    if (head === 1) return null
    if (head > 1) {
      const seen = this.#seen[head - 2]
      if (seen === undefined) throw new BytesError('a string that was not there before')
      return seen
    }
    const value = this.string()
    this.#seen.push(value)
    return value
  }
}

/** Whether bytes are written so in base64url: without padding, and with nothing in the last bits. */
export function isBase64url(text: string): boolean {
  const { length } = text
  let last = 0
  for (let nth = 0; nth < length; nth += 1) {
    last = digitOf(text.charCodeAt(nth))
    if (last === NO_DIGIT) return false
  }
  return endsWell(length, last)
}

/** One character alone stands for no byte. Two have four bits too many, three have two: nothing is in them. */
function endsWell(length: number, last: number): boolean {
  const over = length & 3
  return over !== 1 && (over === 0 || (last & (over === 2 ? 15 : 3)) === 0)
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const NO_DIGIT = 64
const DIGITS = new Uint8Array(128).fill(NO_DIGIT)
for (let value = 0; value < 64; value += 1) DIGITS[ALPHABET.charCodeAt(value)] = value

/** The two characters of twelve bits. */
const PAIRS = Array.from(
  { length: 4096 },
  (_, bits) => ALPHABET.charAt(bits >> 6) + ALPHABET.charAt(bits & 63),
)

/** What a character stands for in base64url. */
function digitOf(code: number): number {
  return DIGITS[code] ?? NO_DIGIT
}

/** How many bytes base64url stands for. */
export function sizeOf(base64url: string): number {
  return Math.floor((base64url.length * 3) / 4)
}

/**
 * A checksum of 32 bits (FNV-1a): a single changed byte always changes it, anything else misses one
 * time in four milliards.
 */
export function checksum(bytes: Uint8Array, length: number): number {
  let sum = 0x811c9dc5
  for (let at = 0; at < length; at += 1) sum = Math.imul(sum ^ (bytes[at] ?? 0), 0x01000193)
  return sum >>> 0
}
