import type { App } from './app.js'
import type { Recorder } from './recorder.js'

const EVERY = 250
/** Milliseconds that are not worth a line. */
const LITTLE = 20

/**
 * Notes when the machine had no time for a process, so that the same run can be judged on a slow or busy machine: what
 * an app did not run, and what the load itself was late.
 */
export function watchStarvation(apps: readonly App[], recorder: Recorder): () => void {
  const waited = new Map(apps.map((app) => [app, { pid: app.pid, starved: app.starved() }]))
  let last = recorder.now()
  const look = () => {
    const [from, to] = [last, recorder.now()]
    last = to
    const note = (app: string | null, stood: number) => {
      if (stood > LITTLE) recorder.add({ kind: 'pause', app, from, to, stood: Math.round(stood) })
    }
    note(null, to - from - EVERY)
    for (const app of apps) {
      const before = waited.get(app)
      const now = { pid: app.pid, starved: app.starved() }
      waited.set(app, now)
      if (before?.pid === now.pid) note(app.name, now.starved - before.starved)
    }
  }
  const timer = setInterval(look, EVERY)
  return () => clearInterval(timer)
}
