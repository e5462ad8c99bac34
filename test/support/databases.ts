import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import knex, { type Knex } from 'knex'
import { settingsFor } from '../../example-app/database-url.js'
import type { DatabaseServer } from './database-process.js'
import { startMariadb } from './mariadb-server.js'
import { startPostgres } from './postgres-server.js'

/** An empty database that ends with the test. */
export interface TestDatabase {
  /** As in DATABASE_URL, for processes of their own. */
  readonly url: string
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

export const POSTGRESQL: DatabaseKind = {
  name: 'PostgreSQL',
  start: () => onServer(process.env.POSTGRES_URL, startPostgres),
}
export const MARIADB: DatabaseKind = {
  name: 'MariaDB',
  start: () => onServer(process.env.MARIADB_URL, startMariadb),
}
export const SQLITE: DatabaseKind = { name: 'SQLite', start: sqliteFile }

export const DATABASES: readonly DatabaseKind[] = [POSTGRESQL, MARIADB, SQLITE]

/** Connects as a host does. */
export function connectTo(url: string, more: Knex.Config = {}): Knex {
  // Each failed attempt to connect would be on the test's output.
  const log = { warn: () => undefined, error: () => undefined }
  const settings = settingsFor(url)
  const pool = { ...settings.pool, idleTimeoutMillis: 500, reapIntervalMillis: 200 }
  return knex({ ...settings, acquireConnectionTimeout: 1000, pool, log, ...more })
}

/** A database of the test's own on a server of the test's own, for tests that kill the server. */
export async function ownServer(
  kind: DatabaseKind,
): Promise<{ server: DatabaseServer; database: TestDatabase }> {
  const server = await (kind === MARIADB ? startMariadb() : startPostgres())
  return { server, database: await createdIn(server.url, () => server.stop()) }
}

async function onServer(
  given: string | undefined,
  start: () => Promise<DatabaseServer>,
): Promise<TestDatabase> {
  if (given) return createdIn(given, async () => undefined)
  const server = await start()
  return createdIn(server.url, () => server.stop())
}

async function createdIn(url: string, release: () => Promise<void>): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  try {
    await asAdmin(url, 'create database ??', name)
  } catch (error) {
    await release()
    throw error
  }
  const database = databaseAt(Object.assign(new URL(url), { pathname: `/${name}` }).href)
  return {
    ...database,
    async stop() {
      await database.stop()
      const force = url.startsWith('postgres') ? ' with (force)' : ''
      await asAdmin(url, `drop database if exists ??${force}`, name).catch(() => undefined)
      await release()
    },
  }
}

/** Leaves no connection open: a server has few, and tests have many databases. */
async function asAdmin(url: string, statement: string, name: string): Promise<void> {
  const admin = connectTo(url)
  try {
    await admin.raw(statement, [name])
  } finally {
    await admin.destroy()
  }
}

async function sqliteFile(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'second-step-sqlite-'))
  const database = databaseAt(`sqlite:${join(folder, 'test.sqlite')}`)
  return {
    ...database,
    async stop() {
      await database.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function databaseAt(url: string): TestDatabase {
  const connected: Knex[] = []
  return {
    url,
    connect() {
      const connection = connectTo(url)
      connected.push(connection)
      return connection
    },
    async stop() {
      await Promise.all(connected.map((connection) => connection.destroy()))
    },
  }
}
