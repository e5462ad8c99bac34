import { SECRET_PLACES, type Span } from './secret-places.js'

const LEFT_OUT = '…'

/**
 * A text of somebody else's without the passwords, tokens and keys in it: drivers repeat the address,
 * the connection string or the command that they were given. Leaves out too much rather than too little.
 */
export function withoutSecrets(text: string): string {
  const spans = SECRET_PLACES.flatMap((spansOf) => [...spansOf(text)])
  let kept = ''
  let from = 0
  // Found in the text as it came, each for itself: what one place leaves out must not hide another.
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
