import { readHardwareToken } from '../factors/hardware-token.js'
import { type Column, type Columns, columnsOf } from './csv-columns.js'
import { csvRows, type Row } from './csv-rows.js'
import { faultAt, type TokenEntry } from './entry.js'

/** Reads the tokens of a CSV file, a line each. */
export async function* readCsv(text: AsyncIterable<string>): AsyncGenerator<TokenEntry> {
  let layout: Columns | null = null
  let before: Row | null = null
  /** Of a header that nothing has come after. */
  let headerAt: number | null = null
  for await (const row of csvRows(text)) {
    headerAt = null
    if ('fault' in row) {
      yield faultAt(row.line, row.fault)
      // A header that cannot be read: nobody knows what the columns are.
      if (layout === null) return
      continue
    }
    if (layout === null) {
      layout = columnsOf(row.cells)
      if (layout === null) {
        yield faultAt(row.line, 'no-layout')
        return
      }
      if (layout.hasUnknown) yield { kind: 'notice', line: row.line, notice: 'unknown-column' }
      if (layout.isHeader) {
        headerAt = row.line
        continue
      }
    }
    yield isCutShort(row, before, layout) ? faultAt(row.line, 'cut-short') : entryOf(row, layout)
    before = row
  }
  if (layout === null || headerAt !== null) yield faultAt(headerAt ?? 1, 'empty')
}

function entryOf(row: Row, layout: Columns): TokenEntry {
  const { line, cells } = row
  if (!hasItsColumns(cells.length, layout)) return faultAt(line, 'columns')
  const cell = (column: Column) => cellIn(row, layout, column)
  const [serial, secret, algorithm, digits] = [
    ...([cell('serial'), cell('secret'), cell('algorithm'), cell('digits')] as const),
  ]
  const [period, counter] = [cell('period'), cell('counter')]
  const type = cell('type') || typeBy(period, counter)
  // What the fifth cell of a HOTP line means is not agreed on: a header says.
  if (type.toLowerCase() === 'hotp' && period !== '' && counter === '' && !layout.isHeader)
    return faultAt(line, 'needs-header')
  const read = readHardwareToken({ serial, type, secret, algorithm, digits, period, counter })
  if ('why' in read) return faultAt(line, read)
  return { kind: 'token', line, token: read, user: cell('user') || null }
}

/** A file without a type has an interval of time-based tokens, or a counter of the others. */
function typeBy(period: string, counter: string): string {
  if (period !== '') return 'totp'
  return counter === '' ? '' : 'hotp'
}

function cellIn({ cells }: Row, { columns }: Columns, column: Column): string {
  return cells[columns.indexOf(column)] ?? ''
}

function hasItsColumns(length: number, { columns, atLeast }: Columns): boolean {
  return length >= atLeast && length <= columns.length
}

/**
 * Whether the file seems to end in the middle of this line: half a seed may be long enough for one,
 * and a field that did not come would be taken for its default.
 */
function isCutShort({ cells, ended }: Row, before: Row | null, layout: Columns): boolean {
  if (ended) return false
  if (!hasItsColumns(cells.length, layout)) return true
  if (before === null) return false
  const last = cells.length - 1
  if (layout.columns[last] === null) return false
  return cells.length < before.cells.length || lengthAt(cells, last) < lengthAt(before.cells, last)
}

function lengthAt(cells: readonly string[], index: number): number {
  return cells[index]?.length ?? 0
}
