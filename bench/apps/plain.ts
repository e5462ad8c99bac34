import { addRoutes, type BenchApp, makeHost } from './host.js'
import type { Settings } from './settings.js'

/** The app without a second step. */
export async function makeApp(settings: Settings): Promise<BenchApp> {
  const host = await makeHost(settings)
  addRoutes(host)
  return host
}
