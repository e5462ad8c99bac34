import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import type { Entry } from './history.js'

/** Writes the history down as it happens. */
export class Recorder {
  readonly file: string
  readonly entries: Entry[] = []
  readonly #began = performance.now()
  readonly #stream: WriteStream

  constructor(file: string) {
    this.file = file
    this.#stream = createWriteStream(file)
  }

  /** Milliseconds since the run began. */
  now(): number {
    return Math.round((performance.now() - this.#began) * 10) / 10
  }

  add(entry: Entry): void {
    this.entries.push(entry)
    this.#stream.write(`${JSON.stringify(entry)}\n`)
  }

  async close(): Promise<void> {
    this.#stream.end()
    await once(this.#stream, 'close')
  }
}
