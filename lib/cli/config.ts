import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { checkOrigin } from '../options/check-origin.js'
import { checkWebauthn } from '../options/check-webauthn.js'
import type { RecordStore } from '../ports/record-store.js'
import type { RedisRepair } from '../stores/redis-repair.js'
import { loadFailure } from './load-failure.js'
import type { Progress } from './progress.js'

/** The part of the app's options that every command needs: the stores. */
export interface Config {
  readonly store: RecordStore & {
    migrate?(): Promise<boolean>
    upgrade?(progress: Progress): Promise<number | null>
    repair?(): Promise<RedisRepair>
    unlisted?(): Promise<readonly string[]>
    misplaced?(): Promise<readonly string[]>
  }
  /** An audit log that is not the store's. */
  readonly audit: { upgrade?(): Promise<number> }
  readonly keys: readonly (string | undefined)[] | null
  /** Undefined: the config has none. */
  readonly realm: string | undefined
  /** The domain of security keys. Null: the config has no option `webauthn`. */
  readonly rpId: string | null
}

/**
 * Reads an ES module whose default export is the app's options of `createSecondStep`. `store` is
 * required, and `keys` for commands that open secrets.
 *
 * @throws Error with a message for the person at the terminal
 */
export async function readConfig(file: string): Promise<Config> {
  const options = await readOptions(file)
  const keys: unknown = Reflect.get(options, 'keys')
  if (keys !== undefined && !Array.isArray(keys)) throw new Error(`keys in ${file} must be a list`)
  const realm: unknown = Reflect.get(options, 'realm')
  if (realm !== undefined && typeof realm !== 'string') {
    throw new Error(`realm in ${file} must be a text`)
  }
  const audit = Object(Reflect.get(options, 'audit') ?? null) as object
  return { store: options.store, audit, keys: keys ?? null, realm, rpId: rpIdIn(options) }
}

function rpIdIn(options: object): string | null {
  const webauthn: unknown = Reflect.get(options, 'webauthn')
  if (webauthn === undefined) return null
  return (
    checkWebauthn(webauthn, checkOrigin(Reflect.get(options, 'origin'), 'origin'))?.rpId ?? null
  )
}

/**
 * As `readConfig`, for the commands that need all of the options.
 *
 * @throws Error with a message for the person at the terminal
 */
export async function readOptions(file: string): Promise<Pick<Config, 'store'>> {
  const options = await load(file)
  if (typeof Reflect.get(options, 'guard') === 'function') {
    throw new Error(
      `${file} exports what createSecondStep made; it must export the options that it is given`,
    )
  }
  if (typeof Reflect.get(Object(Reflect.get(options, 'store')), 'find') !== 'function') {
    throw new Error(
      `${file} must export the app's store: export default { store: redisStore(redis), … }, or knexStore(db)`,
    )
  }
  return options as Pick<Config, 'store'>
}

async function load(file: string): Promise<object> {
  try {
    const module: unknown = await import(pathToFileURL(resolve(file)).href)
    return Object(Reflect.get(Object(module), 'default') ?? module)
  } catch (cause) {
    throw new Error(loadFailure(file, cause), { cause })
  }
}
