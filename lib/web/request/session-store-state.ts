import type { Store } from 'express-session'

const followed = new WeakSet<Store>()
const disconnected = new Set<Store>()

/**
 * Listens to a session store as express-session does. While a store says that it is disconnected,
 * express-session lets every request go on without a session, and without a trace of the store.
 */
export function followSessionStore(store: Store | undefined): void {
  if (typeof store?.on !== 'function' || followed.has(store)) return
  followed.add(store)
  store.on('disconnect', () => disconnected.add(store))
  store.on('connect', () => disconnected.delete(store))
}

/** Whether a session store that a guard has met is disconnected: a request may lack its session for that. */
export function isSessionStoreDisconnected(): boolean {
  return disconnected.size > 0
}
