import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { knexStore } from '../../lib/stores/knex-store.js'
import { SQLITE } from './databases.js'
import { moduleUrl } from './modules.js'

const KEY = '3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs='

/** An app on a database of its own, into which `tokens import` puts hardware tokens. */
export interface ImportingApp {
  readonly key: string
  readonly store: ReturnType<typeof knexStore>
  /** The file for `--config`. */
  readonly config: string
  /** Writes a file into the app's folder. */
  fileOf(name: string, content: string): Promise<string>
  stop(): Promise<void>
}

/** @param findById the option of `users`, as source text */
export async function importingApp(findById: string): Promise<ImportingApp> {
  const folder = await mkdtemp(join(tmpdir(), 'importing-app-'))
  const database = await SQLITE.start()
  const store = knexStore(database.connect())
  await store.migrate()
  const fileOf = async (name: string, content: string) => {
    const file = join(folder, name)
    await writeFile(file, content)
    return file
  }
  const config = await fileOf(
    'second-step.config.mjs',
    `import { connectTo } from '${moduleUrl('test/support/databases')}'
     import { knexStore } from '${moduleUrl('lib/stores/knex-store')}'
     export const db = connectTo(${JSON.stringify(database.url)})
     export default {
       issuer: 'Acme', origin: 'https://acme.example', keys: ['${KEY}'], store: knexStore(db),
       users: { findById: ${findById} },
     }`,
  )
  const stop = async () => {
    await (await import(pathToFileURL(config).href)).db.destroy()
    await database.stop()
    await rm(folder, { recursive: true })
  }
  return { key: KEY, store, config, fileOf, stop }
}
