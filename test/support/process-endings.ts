const ENDINGS = ['uncaughtException', 'unhandledRejection'] as const

/** What would end the process while something runs. */
export async function endings(run: () => Promise<void>): Promise<readonly unknown[]> {
  const seen: unknown[] = []
  const listen = (error: unknown) => void seen.push(error)
  const before = ENDINGS.map((event) => process.listeners(event as 'uncaughtException'))
  for (const event of ENDINGS) {
    process.removeAllListeners(event)
    process.on(event as 'uncaughtException', listen)
  }
  try {
    await run()
  } finally {
    for (const [index, event] of ENDINGS.entries()) {
      process.removeAllListeners(event)
      for (const other of before[index] ?? []) process.on(event as 'uncaughtException', other)
    }
  }
  return seen
}
