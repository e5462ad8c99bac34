import type { Paths } from './site.js'

const mounted = new WeakSet<Paths>()

/** The admin router was made: what lies at its path is ours from now on. */
export function noteAdminRouter(paths: Paths): void {
  mounted.add(paths)
}

/** Whether there is an admin router. Without one, its default path may be the host's own page. */
export function hasAdminRouter(paths: Paths): boolean {
  return mounted.has(paths)
}
