import fs = require('node:fs')
import nodeModule = require('node:module')
import path = require('node:path')
import url = require('node:url')

const PLACE = /(?:file:\/\/)?(\/[^\s():]+\.[cm]?js):(\d+):(\d+)/g

/**
 * A stack with the places in the TypeScript. Node's own `--enable-source-maps` costs each process a
 * twentieth of its time, whether something fails in it or not.
 */
function whereWritten(stack: string): string {
  return stack.replace(PLACE, (place, encoded: string, line: string, column: string) => {
    const file = place.startsWith('file:') ? url.fileURLToPath(`file://${encoded}`) : encoded
    const map = mapOf(file)
    if (map === null) return place
    const found = map.findEntry(Number(line) - 1, Number(column) - 1)
    if (!('originalSource' in found)) return place
    const source = path.resolve(path.dirname(file), found.originalSource)
    return `${source}:${found.originalLine + 1}:${found.originalColumn + 1}`
  })
}

function mapOf(file: string): nodeModule.SourceMap | null {
  const beside = `${file}.map`
  return fs.existsSync(beside)
    ? new nodeModule.SourceMap(JSON.parse(fs.readFileSync(beside, 'utf8')))
    : null
}

export = whereWritten
