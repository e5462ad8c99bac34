import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { RecordStore } from '../ports/record-store.js'

/** What the commands need of the app: of its options, those that say where everything is kept. */
export interface Config {
  readonly store: RecordStore & { migrate?(): Promise<boolean> }
  readonly keys: readonly (string | undefined)[] | null
}

/**
 * Reads an ES module whose default export is the app's options of `createSecondStep`, or has at
 * least `store` and, for what opens secrets, `keys`.
 *
 * @throws Error with a message for the person at the terminal
 */
export async function readConfig(file: string): Promise<Config> {
  const options = await load(file)
  const store: unknown = Reflect.get(options, 'store')
  const keys: unknown = Reflect.get(options, 'keys')
  if (typeof Reflect.get(Object(store), 'find') !== 'function') {
    throw new Error(`${file} must export the app's store: export default { store: knexStore(…) }`)
  }
  if (keys !== undefined && !Array.isArray(keys)) throw new Error(`keys in ${file} must be a list`)
  return { store: store as Config['store'], keys: keys ?? null }
}

async function load(file: string): Promise<object> {
  try {
    const module: unknown = await import(pathToFileURL(resolve(file)).href)
    return Object(Reflect.get(Object(module), 'default') ?? module)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`${file} cannot be loaded: ${why}`, { cause })
  }
}
