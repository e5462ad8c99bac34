import type { FileFault } from './entry.js'

/** A line of a CSV file that has cells, from 1. */
export interface Row {
  readonly line: number
  readonly cells: readonly string[]
  /** False of the last line of a file that ends without a line break. */
  readonly ended: boolean
}

export type RowOrFault = Row | { readonly line: number; readonly fault: FileFault }

/** No line of a token is so long: one that is, is skipped without being held. */
const LONGEST_LINE = 4096
const SEPARATORS = [',', ';', '\t']

/**
 * Reads the rows of a CSV file (RFC 4180), separated by commas, semicolons or tabs as its first row
 * is. A cell has no line break in it, so that a quote too many spoils its own line alone. Blank lines
 * and those that begin with `#` are left out.
 */
export async function* csvRows(text: AsyncIterable<string>): AsyncGenerator<RowOrFault> {
  let separator: string | null = null
  for await (const { line, content, ended } of lines(text)) {
    if (content === null) {
      yield { line, fault: 'too-large' }
      continue
    }
    if (content.trim() === '' || content.startsWith('#')) continue
    separator ??= separatorOf(content)
    const cells = cellsOf(content, separator)
    if (content.includes('\ufffd')) yield { line, fault: 'encoding' }
    else yield cells === null ? { line, fault: 'quotes' } : { line, cells, ended }
  }
}

interface Line {
  readonly line: number
  /** Null: too long. */
  readonly content: string | null
  readonly ended: boolean
}

async function* lines(text: AsyncIterable<string>): AsyncGenerator<Line> {
  let [line, held, tooLong] = [1, '', false]
  for await (const piece of text) {
    const parts = piece.split('\n')
    for (const [index, part] of parts.entries()) {
      if (index > 0) {
        yield { line, content: tooLong ? null : held.replace(/\r$/, ''), ended: true }
        line += 1
        held = ''
        tooLong = false
      }
      tooLong ||= held.length + part.length > LONGEST_LINE
      held = tooLong ? '' : held + part
    }
  }
  if (held !== '' || tooLong) yield { line, content: tooLong ? null : held, ended: false }
}

function separatorOf(content: string): string {
  const counts = SEPARATORS.map((one) => content.split(one).length)
  return SEPARATORS[counts.indexOf(Math.max(...counts))] ?? ','
}

/** @returns null where a quote is not closed, or text stands beside quotes */
function cellsOf(content: string, separator: string): readonly string[] | null {
  if (!content.includes('"')) return content.split(separator).map((cell) => cell.trim())
  const cells: string[] = []
  const cell = new RegExp(
    ` *"((?:[^"]|"")*)" *(${separator}|$)|([^"${separator}]*)(${separator}|$)`,
    'y',
  )
  for (;;) {
    const [whole, quoted, afterQuoted, plain = '', afterPlain] = cell.exec(content) ?? []
    if (whole === undefined) return null
    cells.push((quoted?.replaceAll('""', '"') ?? plain).trim())
    if ((afterQuoted ?? afterPlain) === '') return cells
  }
}
