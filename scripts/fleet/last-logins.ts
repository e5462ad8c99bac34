import type { App } from './app.js'
import { Browser, type Desk } from './browser.js'
import type { LastLogin } from './history.js'
import type { FleetUser } from './users.js'
import { pause } from './waiting.js'

const TRIES = 8

/** Signs somebody in through each process, past the proxy, when nothing does harm any more. */
export async function lastLogins(
  apps: readonly App[],
  users: readonly FleetUser[],
  desk: Desk,
): Promise<readonly LastLogin[]> {
  return Promise.all(
    apps.map(async (app, index) => {
      const user = users.at(-1 - index)
      if (user === undefined) throw new Error('fewer users than apps')
      const isIn = await signIn(app, user, desk)
      return { kind: 'last-login', app: app.name, verdict: isIn ? 'signed-in' : 'refused' }
    }),
  )
}

/** With the backup codes from the end of the set, which nobody has reached. */
async function signIn(app: App, user: FleetUser, desk: Desk): Promise<boolean> {
  for (let nth = 1; nth <= TRIES; nth += 1) {
    const place = user.backupCodes.length - nth
    const browser = new Browser(`http://127.0.0.1:${app.link.port}`, user, desk)
    const code = user.backupCodes[place] ?? ''
    if ((await browser.password()) && (await browser.code(`backup:${place}`, code))) return true
    await pause(1000)
  }
  return false
}
