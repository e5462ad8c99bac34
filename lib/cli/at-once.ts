/**
 * Does the work for each item, several at once. An item is read when there is room for its work.
 *
 * @param work returns whether to go on. After a no, what has begun is finished
 * @throws what reading or the work throws, once everything that had begun has ended
 */
export async function eachAtOnce<Item>(
  items: AsyncIterable<Item>,
  atOnce: number,
  work: (item: Item) => Promise<boolean>,
): Promise<void> {
  const iterator = items[Symbol.asyncIterator]()
  let goOn = true
  const worker = async () => {
    try {
      while (goOn) {
        const next = await iterator.next()
        if (next.done === true) return
        if (!(await work(next.value))) goOn = false
      }
    } finally {
      goOn = false
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: atOnce }, worker))
  await iterator.return?.()
  for (const end of ended) if (end.status === 'rejected') throw end.reason
}
