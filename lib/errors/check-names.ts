import { ConfigurationError } from './configuration-error.js'

/**
 * Refuses unknown names: a misspelt limit must not silently become the default.
 *
 * @param path what stands before the name in messages, such as `paths.`
 * @throws ConfigurationError naming the option, and the one that was probably meant
 */
export function checkNames(given: object, known: readonly string[], path: string): void {
  if (Array.isArray(given)) {
    throw new ConfigurationError(`\`${path.slice(0, -1)}\` must be an object, not a list`)
  }
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue
    const near = known.find((candidate) => isNear(candidate, name))
    const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean ${near}?`
    throw new ConfigurationError(`there is no option \`${path}${name}\`: ${hint}`)
  }
}

/** Equal except for case and one or two letters, or `most`. */
export function isNear(left: string, right: string, most = 2): boolean {
  const [a, b] = [left.toLowerCase(), right.toLowerCase()]
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries()) {
      const changed = (row[j] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return (row.at(-1) ?? 0) <= most
}
