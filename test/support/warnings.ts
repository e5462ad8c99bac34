/** The process warnings of the package's that are emitted while something runs; none is printed. */
export async function warningsDuring(run: () => unknown): Promise<readonly string[]> {
  const said: string[] = []
  const listen = ({ message }: Error) => void said.push(message)
  const others = process.listeners('warning')
  process.removeAllListeners('warning').on('warning', listen)
  try {
    await run()
    // Node emits them one tick later.
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.off('warning', listen)
    for (const other of others) process.on('warning', other)
  }
  return said.filter((message) => message.startsWith('passport-second-step: '))
}
