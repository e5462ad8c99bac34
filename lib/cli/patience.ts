import { setTimeout as wait } from 'node:timers/promises'
import { isConfigurationError } from '../errors/configuration-error.js'
import { system } from '../ports/system.js'

const PATIENCE = 3000
const BETWEEN = 100

/**
 * Opens something whose client may still be connecting. A client without a command queue (the app
 * must use such a client) refuses commands until it is connected, so this tries again.
 *
 * @throws what the last try has thrown; a mistake of the config's at once
 */
export async function openPatiently(open: () => Promise<unknown>): Promise<void> {
  const end = system.now() + PATIENCE
  for (;;) {
    try {
      await open()
      return
    } catch (error) {
      const mistake = [error, Reflect.get(Object(error), 'cause')].some(isConfigurationError)
      if (mistake || system.now() >= end) throw error
      await wait(BETWEEN)
    }
  }
}
