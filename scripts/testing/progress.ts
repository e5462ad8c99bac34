import { idlePart, spent } from './machine.js'
import type { Outcome } from './mocha.js'
import type { Unit } from './units.js'

const LONGEST = 8
const LAST_WORDS = 2000

/** Counts what has been run, and shows it as it comes. */
export class Progress {
  readonly #began = performance.now()
  readonly #spentBefore = spent()
  readonly #seconds = new Map<string, number>()
  readonly #failed: string[] = []
  #passes = 0
  #failures = 0
  #done = 0
  #total: number

  constructor(total: number) {
    this.#total = total
  }

  /** More has turned out to be there to run. */
  expect(count: number): void {
    this.#total += count
  }

  /** One line, and under it all that was said where something has failed. */
  add(unit: Unit, { passes, failures, files, output }: Outcome): void {
    this.#passes += passes
    this.#failures += failures
    this.#done += 1
    for (const [file, { seconds }] of Object.entries(files)) {
      this.#seconds.set(`${file}${placeOf(unit)}`, seconds)
    }
    const failed = failures > 0 ? `, ${failures} FAILED` : ''
    const at = `[${this.#done}/${this.#total}, ${this.#minutes()}]`
    console.log(`${at} ${passes} passed${failed}: ${nameOf(unit)}`)
    if (failures === 0) return
    console.log(output)
    this.#failed.push(`${nameOf(unit)}\n${failuresIn(output)}`)
  }

  get failures(): number {
    return this.#failures
  }

  /** Where the time goes, and whether more at once would take less of it. */
  printLongest(): void {
    const longest = [...this.#seconds].sort(([, a], [, b]) => b - a).slice(0, LONGEST)
    const texts = longest.map(([file, seconds]) => `  ${seconds.toFixed(0).padStart(4)} s  ${file}`)
    const busy = Math.round(100 * (1 - idlePart(this.#spentBefore, spent())))
    console.log(`Ran ${this.#minutes()} minutes, the processors busy for ${busy} % of it.`)
    console.log(`The longest files:\n${texts.join('\n')}`)
  }

  /** The last line, for people and for machines. Before it what has failed, since a log may be cut in the middle. */
  printCounts(): void {
    for (const failed of this.#failed) console.log(`\nFailed: ${failed}`)
    console.log(`${this.#passes} passed, ${this.#failures} failed`)
  }

  #minutes(): string {
    const seconds = Math.round((performance.now() - this.#began) / 1000)
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
  }
}

/** What Mocha says of them at its end; without that, the last of what was said. */
function failuresIn(output: string): string {
  const at = output.search(/^ +\d+ failing$/m)
  return at === -1 ? output.slice(-LAST_WORDS) : output.slice(at)
}

function nameOf(unit: Unit): string {
  const [first = '', ...others] = unit.files
  const more = others.length === 0 ? '' : ` and ${others.length} more`
  return `${first}${more}${placeOf(unit)}`
}

function placeOf({ store }: Unit): string {
  return store === '' ? '' : `, records in ${store}`
}
