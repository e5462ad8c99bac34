import { csvRows, type RowOrFault } from './csv-rows.js'
import { type Bytes, decode } from './decode.js'
import type { FileFault } from './entry.js'

/** Whose token has a serial number, or what is wrong with a line. */
export type UserLine =
  | { readonly line: number; readonly serial: string; readonly user: string }
  | { readonly line: number; readonly fault: FileFault }

/** Reads a CSV file of two columns: serial number and user. A first row `serial,user` is no user. */
export async function* readUsers(bytes: Bytes): AsyncGenerator<UserLine> {
  let isFirst = true
  for await (const row of csvRows(decode(bytes))) {
    const mayBeHeader = isFirst
    isFirst = false
    if (mayBeHeader && isHeader(row)) continue
    yield lineOf(row)
  }
}

function lineOf(row: RowOrFault): UserLine {
  const { line } = row
  if ('fault' in row) return row
  const [serial, user, ...more] = row.cells
  const isWhole = serial !== undefined && user !== undefined && more.length === 0
  return isWhole && serial !== '' && user !== ''
    ? { line, serial, user }
    : { line, fault: 'columns' }
}

function isHeader(row: RowOrFault): boolean {
  return 'cells' in row && /^serial/i.test(row.cells[0] ?? '') && /^user/i.test(row.cells[1] ?? '')
}
