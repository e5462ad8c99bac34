/** How a call of a port ended. `silent`: not within its time. */
export type CallEnd = 'ok' | 'failed' | 'silent'

/** Is told how a call ended, once. */
type Ended = (end: CallEnd) => void

/** Is told of each call that begins, by the part's name in errors. Null: its end is of no interest. Never throws. */
export type CallWatcher = (part: string) => Ended | null

const watchers = new Map<object, { readonly watcher: CallWatcher; times: number }>()

/**
 * Watches all calls of ports in this process.
 *
 * @param whose the calls are told once for each of these, however often it watches
 * @returns ends it
 */
export function watchCalls(whose: object, watcher: CallWatcher): () => void {
  const watching = watchers.get(whose) ?? { watcher, times: 0 }
  watching.times += 1
  watchers.set(whose, watching)
  return () => {
    watching.times -= 1
    if (watching.times === 0) watchers.delete(whose)
  }
}

/** Tells the watchers of a call. Null where there are none, as in most apps. */
export function begunCall(part: string): Ended | null {
  if (watchers.size === 0) return null
  const told = [...watchers.values()].map(({ watcher }) => watcher(part))
  let isOver = false
  return (end) => {
    // A late answer comes after the silence.
    if (isOver) return
    isOver = true
    for (const ended of told) ended?.(end)
  }
}
