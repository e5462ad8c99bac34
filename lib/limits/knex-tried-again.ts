import { type Database, wasAborted } from '../stores/knex-client.js'

/**
 * A statement that the database aborted has changed nothing, and can be sent again, for as long as one may
 * take. Of a burst only one a round need succeed: under `repeatable read` the others are aborted.
 */
export async function triedAgain<T>(
  { longest }: Pick<Database, 'longest'>,
  run: () => Promise<T>,
): Promise<T> {
  const began = performance.now()
  for (;;) {
    try {
      return await run()
    } catch (error) {
      if (performance.now() - began > longest || !wasAborted(error)) throw error
    }
  }
}
