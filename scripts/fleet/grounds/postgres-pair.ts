import knex, { type Knex } from 'knex'
import type { DatabaseServer } from '../../../test/support/database-process.js'
import { startPostgres, startStandby } from '../../../test/support/postgres-server.js'
import { Link } from '../link.js'
import { comesAbout } from '../waiting.js'

const STANDBY = 'standby'
const IN_STEP_WITHIN = 60_000

/**
 * A PostgreSQL whose commits wait for a synchronous standby. The apps know one address, which leads to the primary of
 * the moment: as a virtual address does, or a proxy.
 */
export class PostgresPair {
  readonly link: Link
  #primary: DatabaseServer
  #standby: DatabaseServer

  private constructor(link: Link, primary: DatabaseServer, standby: DatabaseServer) {
    this.link = link
    this.#primary = primary
    this.#standby = standby
  }

  static async start(): Promise<PostgresPair> {
    const primary = await startPostgres()
    try {
      const standby = await startStandby(primary, STANDBY)
      await on(primary, waitForStandby)
      return new PostgresPair(await Link.open(portOf(primary)), primary, standby)
    } catch (error) {
      await primary.stop()
      throw error
    }
  }

  get url(): string {
    return Object.assign(new URL(this.#primary.url), { port: String(this.link.port) }).href
  }

  get primary(): DatabaseServer {
    return this.#primary
  }

  /** Makes the standby the primary. The one before must have ended: two primaries would both commit. */
  async failOver(): Promise<void> {
    const gone = this.#primary
    const promoted = this.#standby
    this.link.cut()
    await gone.stop()
    await on(promoted, async (db) => {
      // From its first commit on.
      await waitForStandby(db)
      await db.raw('select pg_promote()')
    })
    this.#primary = promoted
    this.link.leadTo(portOf(promoted))
    this.link.heal()
  }

  /** A new standby in place of the one that is the primary now. */
  async replaceStandby(): Promise<void> {
    this.#standby = await startStandby(this.#primary, STANDBY)
  }

  /** Whether the standby is in step. */
  async isWhole(): Promise<boolean> {
    try {
      return await on(this.#primary, async (db) => {
        const { rows } = await db.raw('select sync_state, state from pg_stat_replication')
        return rows.length === 1 && rows[0].sync_state === 'sync' && rows[0].state === 'streaming'
      })
    } catch {
      return false
    }
  }

  async inStep(): Promise<void> {
    if (await comesAbout(() => this.isWhole(), IN_STEP_WITHIN)) return
    throw new Error('the standby does not follow')
  }

  async stop(): Promise<void> {
    this.link.close()
    await Promise.all([this.#primary.stop(), this.#standby.stop()])
  }
}

/** Each commit is answered when the standby has it (`synchronous_commit` is on). */
async function waitForStandby(db: Knex): Promise<void> {
  await db.raw(`alter system set synchronous_standby_names = '${STANDBY}'`)
  await db.raw('select pg_reload_conf()')
}

function portOf({ url }: DatabaseServer): number {
  return Number(new URL(url).port)
}

/** Asks a server itself, past the link. */
async function on<T>({ url }: DatabaseServer, ask: (db: Knex) => Promise<T>): Promise<T> {
  const log = { warn: () => undefined, error: () => undefined }
  const db = knex({
    client: 'pg',
    connection: url,
    pool: { min: 0, max: 1 },
    acquireConnectionTimeout: 2000,
    log,
  })
  try {
    return await ask(db)
  } finally {
    await db.destroy()
  }
}
