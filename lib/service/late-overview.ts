import type { Overview, OverviewParts } from './overview.js'

/** The overview, whose module is loaded when an admin first looks. */
export interface LateOverview {
  get(): Promise<Overview>
  stop(): Promise<void>
}

export function lateOverview(parts: OverviewParts): LateOverview {
  let made: Promise<Overview> | null = null
  let isStopped = false
  const make = async () => {
    const module = await import('./overview.js')
    const overview = new module.Overview(parts)
    if (isStopped) await overview.stop()
    return overview
  }
  return {
    get() {
      made ??= make()
      return made
    },
    async stop() {
      isStopped = true
      await (await made)?.stop()
    },
  }
}
