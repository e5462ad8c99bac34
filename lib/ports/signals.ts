/** Hears the signals of other processes, and of its own. */
export interface SignalListener {
  /** @param subject as it was sent, if it was sent by this package: anybody may have sent anything */
  heard(topic: string, subject: string): void
  /** Signals may have been missed until now. */
  missed(): void
  failed(error: unknown): void
}

/**
 * Short messages between the processes of an app, as Redis has them. Nothing may rest on them: one that is
 * lost is lost, and one that is heard may be forged.
 */
export interface Signals {
  /** Resolves when the message is on its way. */
  send(topic: string, subject: string): Promise<void>
  /** Listens until `close()`, again after a connection was lost. */
  listen(topics: readonly string[], listener: SignalListener): { close(): void }
}
