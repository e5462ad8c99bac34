import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { packageFile } from './package-files.js'

const FILE = packageFile('views/assets/style.css')

/**
 * The inline style sheet for the page of a 503: the style sheet's own route is behind the guard and
 * the stores, which may not answer. A content security policy allows it by its hash.
 */
export const inlineStyle: { readonly text: string; readonly source: string } = read()

function read() {
  // Browsers hash what they have parsed: they make one line break of every two.
  const text = readFileSync(FILE, 'utf8').replaceAll('\r\n', '\n')
  return { text, source: `'sha256-${createHash('sha256').update(text).digest('base64')}'` }
}
