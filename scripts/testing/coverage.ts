import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Job } from './pool.js'
import { countsCoverage, type Unit } from './units.js'

/** Where every process writes what it has run. */
const RAW = 'coverage/tmp'

/** The environment of a process whose coverage counts. */
export const COVERED: NodeJS.ProcessEnv = { NODE_V8_COVERAGE: resolve(RAW) }

export function forgetCoverage(): void {
  rmSync('coverage', { recursive: true, force: true })
}

/** What the sum says, and whether the floor, which is in `.c8rc.json`, is reached. */
interface Sum {
  readonly reached: boolean
  readonly text: string
}

/**
 * Sums up what all processes have run. It takes seconds, and begins when the last of those has ended
 * that count: others run meanwhile.
 */
export class Coverage {
  readonly #sumUp: () => Promise<Sum>
  readonly #left: Set<Unit>
  #sum: Sum | null = null

  constructor(units: readonly Unit[], sumUp = sumWithC8) {
    this.#left = new Set(units.filter(countsCoverage))
    this.#sumUp = sumUp
  }

  /** @returns what is to be run next */
  after(unit: Unit): readonly Job[] {
    const last = this.#left.delete(unit) && this.#left.size === 0
    return last ? [{ weight: 1, run: () => this.#keepSum() }] : []
  }

  /** Prints the sum. */
  isReached(): boolean {
    if (this.#sum === null) return false
    console.log(this.#sum.text)
    return this.#sum.reached
  }

  async #keepSum(): Promise<readonly Job[]> {
    this.#sum = await this.#sumUp()
    return []
  }
}

async function sumWithC8(): Promise<Sum> {
  if (!existsSync(RAW)) return { reached: false, text: 'Nothing was covered.' }
  const args = ['report', '--check-coverage', '--temp-directory', RAW]
  const child = spawn('node_modules/.bin/c8', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
  }
  const [code] = await once(child, 'close')
  return { reached: code === 0, text }
}
