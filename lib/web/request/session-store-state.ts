import type { Store } from 'express-session'
import type { Site } from './site.js'

const disconnected = new WeakMap<Site, Set<Store>>()
const followed = new WeakMap<Site, WeakSet<Store>>()

/**
 * Listens to a session store as express-session does. While a store is disconnected,
 * express-session lets every request continue without a session, and without a trace of the store.
 */
export function followSessionStore(site: Site, store: Store | undefined): void {
  if (typeof store?.on !== 'function' || followed.get(site)?.has(store)) return
  followed.set(site, (followed.get(site) ?? new WeakSet()).add(store))
  const away = disconnected.get(site) ?? new Set()
  disconnected.set(site, away)
  store.on('disconnect', () => away.add(store))
  store.on('connect', () => away.delete(store))
}

/**
 * Whether a session store that this guard knows is disconnected, which can be why a request has no
 * session.
 */
export function isSessionStoreDisconnected(site: Site): boolean {
  return (disconnected.get(site)?.size ?? 0) > 0
}
