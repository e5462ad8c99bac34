import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isNear } from '../errors/check-names.js'

const ENDING = '.ejs'
/** As deep as ours are, and one more: a folder that holds other things too must not cost a start its time. */
const DEEPEST = 4

/** A folder's `.ejs` files, by their paths in it. */
export function viewsIn(folder: string, depth = 1): readonly string[] {
  if (depth > DEEPEST) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const { name } = entry
    if (!entry.isDirectory()) return name.endsWith(ENDING) ? [name] : []
    if (name === 'node_modules' || name.startsWith('.')) return []
    return viewsIn(join(folder, name), depth + 1).map((file) => `${name}/${file}`)
  })
}

/**
 * Warns of views of the host's that replace nothing, although their names are nearly those of ours. The folder may have
 * views of the app's own, so what another view includes is none of these, nor is a short name.
 */
export function warnOfMisspeltViews(folder: string, ours: readonly string[]): void {
  const own = viewsIn(folder)
  const missing = ours.filter((name) => !own.includes(name))
  for (const name of own.filter((one) => !ours.includes(one))) {
    const meant = missing.find((one) => isMisspelt(stemOf(name), stemOf(one)))
    if (meant === undefined || isIncluded(stemOf(name), folder, own)) continue
    process.emitWarning(
      `passport-second-step: views: ${name} replaces no view: did you mean ${meant}?`,
    )
  }
}

/** The names of the views that a view includes, as far as they are literal. */
export function includedIn(source: string): readonly string[] {
  const code = source.replaceAll(/<%#[\s\S]*?%>/g, '')
  const names = [...code.matchAll(/\binclude\(\s*(['"])([^'"$]+)\1\s*[,)]/g)]
  return names.map(([, , name = '']) => name)
}

function isMisspelt(name: string, ours: string): boolean {
  return isNear(name, ours, ours.length >= 8 ? 2 : ours.length >= 5 ? 1 : 0)
}

function isIncluded(name: string, folder: string, own: readonly string[]): boolean {
  return own.some((file) => includedIn(readFileSync(join(folder, file), 'utf8')).includes(name))
}

function stemOf(name: string): string {
  return name.slice(0, -ENDING.length)
}
