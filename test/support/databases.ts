import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import knex, { type Knex } from 'knex'
import Sqlite from 'knex/lib/dialects/better-sqlite3/index.js'
import type { DatabaseServer } from './database-process.js'
import { startMariadb } from './mariadb-server.js'
import { startPostgres } from './postgres-server.js'

/** An empty database that ends with the test. */
export interface TestDatabase {
  /** How a process of its own connects: the settings of Knex as JSON, for `connectTo`. */
  readonly address: string
  /** Another pool of connections to it; ended by `stop()`. */
  connect(): Knex
  stop(): Promise<void>
}

/** A kind of database that the package's tables live in. */
export interface DatabaseKind {
  readonly name: 'PostgreSQL' | 'MariaDB' | 'SQLite'
  /** An empty database, in the server that the environment names or in one of its own. */
  start(): Promise<TestDatabase>
}

const require = createRequire(import.meta.url)

/** SQLite without a compiler: better-sqlite3's client on another driver of the same shape. */
export class LibsqlClient extends Sqlite {
  override _driver() {
    return require('libsql')
  }
}

export const POSTGRESQL: DatabaseKind = {
  name: 'PostgreSQL',
  start: () => onServer('pg', process.env.POSTGRES_URL, startPostgres),
}
export const MARIADB: DatabaseKind = {
  name: 'MariaDB',
  start: () => onServer('mysql2', process.env.MARIADB_URL, startMariadb),
}
export const SQLITE: DatabaseKind = { name: 'SQLite', start: sqliteFile }

export const DATABASES: readonly DatabaseKind[] = [POSTGRESQL, MARIADB, SQLITE]

/** Connects as the host in the README does. */
export function connectTo(address: string): Knex {
  const { client, connection } = JSON.parse(address)
  // Each failed attempt to connect would be on the test's output.
  const log = { warn: () => undefined, error: () => undefined }
  const settings = { connection, acquireConnectionTimeout: 1000, log }
  if (client !== 'libsql') return knex({ ...settings, client, pool: { min: 0, max: 10 } })
  const pool = {
    min: 1,
    max: 1,
    afterCreate: (opened: { exec(sql: string): void }, done: () => void) => {
      opened.exec('pragma journal_mode = wal; pragma busy_timeout = 900')
      done()
    },
  }
  return knex({ ...settings, client: LibsqlClient, useNullAsDefault: true, pool })
}

/** A database of the test's own on a server of the test's own, for tests that kill the server. */
export async function ownServer(
  kind: DatabaseKind,
): Promise<{ server: DatabaseServer; database: TestDatabase }> {
  const [client, start] =
    kind === MARIADB ? (['mysql2', startMariadb] as const) : (['pg', startPostgres] as const)
  const server = await start()
  return { server, database: await createdIn(client, server.url, () => server.stop()) }
}

async function onServer(
  client: string,
  given: string | undefined,
  start: () => Promise<DatabaseServer>,
): Promise<TestDatabase> {
  if (given) return createdIn(client, given, async () => undefined)
  const server = await start()
  return createdIn(client, server.url, () => server.stop())
}

async function createdIn(
  client: string,
  url: string,
  release: () => Promise<void>,
): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  const connection = Object.assign(new URL(url), { pathname: `/${name}` }).href
  const admin = connectTo(JSON.stringify({ client, connection: url }))
  try {
    await admin.raw('create database ??', [name])
  } catch (error) {
    await admin.destroy()
    await release()
    throw error
  }
  const database = databaseAt(JSON.stringify({ client, connection }))
  return {
    ...database,
    async stop() {
      await database.stop()
      const force = client === 'pg' ? ' with (force)' : ''
      await admin.raw(`drop database if exists ??${force}`, [name]).catch(() => undefined)
      await admin.destroy()
      await release()
    },
  }
}

async function sqliteFile(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'second-step-sqlite-'))
  const connection = { filename: join(folder, 'test.sqlite') }
  const database = databaseAt(JSON.stringify({ client: 'libsql', connection }))
  return {
    ...database,
    async stop() {
      await database.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function databaseAt(address: string): TestDatabase {
  const connected: Knex[] = []
  return {
    address,
    connect() {
      const connection = connectTo(address)
      connected.push(connection)
      return connection
    },
    async stop() {
      await Promise.all(connected.map((connection) => connection.destroy()))
    },
  }
}
