import type { App } from './app.js'
import type { FaultKind, Harm } from './ground.js'
import type { Random } from './random.js'
import type { Recorder } from './recorder.js'

/** Seconds that a clock goes off at most: so two differ by twice as much. */
export const CLOCK_OFF = 9

/** What happens to the app processes. Time in which one stands still is noted: it answers nothing then. */
export function appFaults(apps: readonly App[], recorder: Recorder): readonly FaultKind[] {
  const onApp = (name: string, strike: (app: App, random: Random) => Promise<Struck>) => ({
    name,
    async strike(random: Random): Promise<Harm> {
      const app = random.pick(apps)
      return { target: app.name, isOver: async () => app.isRunning, ...(await strike(app, random)) }
    },
  })
  const standing = (app: App, goOn: () => void): (() => Promise<void>) => {
    const from = recorder.now()
    return async () => {
      goOn()
      const to = recorder.now()
      recorder.add({ kind: 'pause', app: app.name, from, to, stood: to - from })
    }
  }

  return [
    onApp('app killed', async (app, random) => {
      await app.kill()
      return { lasts: random.between(100, 1500), heal: () => app.startAgain() }
    }),
    onApp('app stopped', async (app, random) => {
      app.halt()
      return { lasts: random.between(500, 3500), heal: standing(app, () => app.goOn()) }
    }),
    onApp('clock of an app moved', async (app, random) => {
      const seconds = random.between(2, CLOCK_OFF) * random.pick([-1, 1])
      await app.setClock(seconds)
      return { lasts: random.between(1500, 4000), heal: () => app.setClock(0) }
    }),
    onApp('link to an app cut', async (app, random) => {
      app.link.cut()
      return { lasts: random.between(300, 2000), heal: async () => app.link.heal() }
    }),
    onApp('link to an app held', async (app, random) => {
      app.link.hold()
      return { lasts: random.between(500, 3000), heal: standing(app, () => app.link.heal()) }
    }),
  ]
}

type Struck = Pick<Harm, 'lasts' | 'heal'>
