import { createHash } from 'node:crypto'

/** 32-bit words of an entry: 96 bits of a hash, and the line. */
const WORDS = 4

/**
 * Which serial numbers a file has had, and where: 32 bytes each, so that a million fit into the
 * memory of a small server.
 */
export class SeenSerials {
  #table = new Uint32Array(1024 * WORDS)
  #count = 0

  /** Notes the serial. @returns the line that had it before, or null */
  see(serial: string, line: number): number | null {
    const hash = createHash('sha256').update(serial).digest()
    const entry = Uint32Array.of(hash.readUInt32LE(0), hash.readUInt32LE(4), hash.readUInt32LE(8))
    const at = this.#placeOf(entry)
    const before = this.#table[at + 3] ?? 0
    if (before !== 0) return before
    this.#table.set([...entry, line], at)
    this.#count += 1
    if (this.#count * WORDS * 2 > this.#table.length) this.#grow()
    return null
  }

  /** Where the entry is, or the free place for it: a line is never 0. */
  #placeOf([a = 0, b = 0, c = 0]: Iterable<number> & Uint32Array): number {
    const table = this.#table
    const places = table.length / WORDS
    for (let place = a % places; ; place = (place + 1) % places) {
      const at = place * WORDS
      if (table[at + 3] === 0) return at
      if (table[at] === a && table[at + 1] === b && table[at + 2] === c) return at
    }
  }

  #grow(): void {
    const before = this.#table
    this.#table = new Uint32Array(before.length * 2)
    for (let at = 0; at < before.length; at += WORDS) {
      const entry = before.subarray(at, at + WORDS)
      if (entry[3] !== 0) this.#table.set(entry, this.#placeOf(entry))
    }
  }
}
