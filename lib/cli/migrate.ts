import type { Config } from './config.js'

/**
 * Makes the tables of the second step in the app's database, or adds what a newer version needs.
 *
 * @returns what was done, in a sentence
 */
export async function migrate({ store }: Config): Promise<string> {
  if (store.migrate === undefined) {
    throw new Error('This store has no tables to make: only knexStore has.')
  }
  return (await store.migrate())
    ? 'Made the tables of the second step.'
    : 'The tables of the second step are up to date; nothing was changed.'
}
