import { wasAborted } from '../stores/knex-client.js'

const TRIES = 3

/** A statement that the database aborted has changed nothing, and can be sent again. */
export async function triedAgain<T>(run: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await run()
    } catch (error) {
      if (tried === TRIES || !wasAborted(error)) throw error
    }
  }
}
