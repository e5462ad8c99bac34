import { SECRET_PLACES, type Span } from './secret-places.js'

const LEFT_OUT = '…'

/**
 * Removes passwords, tokens and keys from a foreign text: drivers repeat the address, the
 * connection string or the command that they got. Removes too much rather than too little.
 */
export function withoutSecrets(text: string): string {
  const spans = SECRET_PLACES.flatMap((spansOf) => [...spansOf(text)])
  let kept = ''
  let from = 0
  // Searches the original text for each kind: removing one secret must not hide another.
  for (const [start, end] of merged(spans)) {
    kept += text.slice(from, start) + LEFT_OUT
    from = end
  }
  return kept + text.slice(from)
}

function merged(spans: readonly Span[]): readonly Span[] {
  const result: [number, number][] = []
  for (const [start, end] of [...spans].sort(([left], [right]) => left - right)) {
    const last = result.at(-1)
    if (last === undefined || start > last[1]) result.push([start, end])
    else last[1] = Math.max(last[1], end)
  }
  return result.filter(([start, end]) => end > start)
}
