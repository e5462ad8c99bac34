const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/**
 * Runs work that can end early. The first SIGINT or SIGTERM aborts its signal, and the next one ends the
 * process at once, as the first does elsewhere.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const stopListening = () => {
    for (const name of SIGNALS) process.off(name, interrupt)
  }
  const interrupt = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      stopListening()
      process.kill(process.pid, name)
      return
    }
    controller.abort()
    process.stderr.write('Interrupted: what has begun is finished. A second signal ends at once.\n')
  }
  for (const name of SIGNALS) process.on(name, interrupt)
  try {
    return await work(controller.signal)
  } finally {
    stopListening()
  }
}
