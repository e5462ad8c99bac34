import type { Request, Response } from 'express'
import type { Exchange } from '../request/handler.js'
import { setSafeHeaders } from '../routing/respond.js'

/** The types of files that a list is downloaded as. */
export const DOWNLOAD_TYPES = ['csv', 'ndjson'] as const
export type DownloadType = (typeof DOWNLOAD_TYPES)[number]

const MEDIA: Readonly<Record<DownloadType, string>> = {
  csv: 'text/csv',
  ndjson: 'application/x-ndjson',
}

/** By `format` or the `Accept` header. Null: no download. Undefined: `format` is malformed. */
export function downloadTypeOf(req: Request): DownloadType | null | undefined {
  const format: unknown = Reflect.get(req.query, 'format')
  if (format !== undefined) return DOWNLOAD_TYPES.find((type) => type === format)
  const wanted = req.accepts(['html', 'json', ...Object.values(MEDIA)])
  return DOWNLOAD_TYPES.find((type) => MEDIA[type] === wanted) ?? null
}

type Cell = string | number | null

/** A file of rows. */
interface RowFile<Row, Name extends string> {
  /** Without its ending. */
  readonly name: string
  /** Of CSV; a line of JSON is the row itself. */
  readonly columns: readonly Name[]
  readonly cells: (row: Row) => Readonly<Record<Name, Cell>>
}

/**
 * Sends the rows of all pages as a file. Waits for a slow client before it asks for the next page, and asks no more
 * for a client that is gone. What fails behind the first row breaks the connection off: a file that ends well is whole.
 */
export async function download<Row extends object, Name extends string>(
  { site, req, res }: Pick<Exchange, 'site' | 'req' | 'res'>,
  type: DownloadType,
  { name, columns, cells }: RowFile<Row, Name>,
  pages: AsyncIterable<readonly Row[]>,
): Promise<void> {
  if (res.headersSent) return
  setSafeHeaders(res)
  res.setHeader('Content-Type', `${MEDIA[type]}; charset=utf-8`)
  res.setHeader('Content-Disposition', `attachment; filename="${name}.${type}"`)
  if (req.method === 'HEAD') return void res.end()
  const csvOf = (row: Readonly<Record<Name, Cell>>) => csvLine(columns.map((column) => row[column]))
  const lineOf = (row: Row) => (type === 'csv' ? csvOf(cells(row)) : `${JSON.stringify(row)}\n`)
  try {
    await written(res, type === 'csv' ? csvLine(columns) : '')
    for await (const rows of pages) {
      if (!(await written(res, rows.map(lineOf).join('')))) return
    }
    res.end()
  } catch (error) {
    site.failureReporter.report(error)
    res.destroy()
  }
}

/** RFC 4180 */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

/** A spreadsheet would run a text that begins like a formula, such as a user's name (OWASP: CSV injection). */
function csvCell(value: Cell): string {
  if (typeof value === 'number') return String(value)
  const text = value ?? ''
  const begun = /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text
  // Where the list separator of a country is ";", a spreadsheet parts cells there as well.
  const safe = begun.replaceAll(/(?<=[;\t\r\n])[=+\-@＝＋－＠]/g, "'$&")
  return /["',\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** @returns false once the client is gone */
async function written(res: Response, text: string): Promise<boolean> {
  if (res.closed || res.destroyed) return false
  if (text === '' || res.write(text)) return true
  return new Promise((resolve) => {
    const settle = () => {
      res.off('drain', settle)
      res.off('close', settle)
      resolve(!res.closed && !res.destroyed)
    }
    // Not chained, and once: `compression` hands `drain` to a stream of its own, which takes no listener back.
    res.once('drain', settle)
    res.once('close', settle)
  })
}
