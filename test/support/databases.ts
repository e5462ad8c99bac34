import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import knex, { type Knex } from 'knex'
import { settingsFor } from '../../example-app/database.js'
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
export function connectTo(url: string): Knex {
  // Each failed attempt to connect would be on the test's output.
  const log = { warn: () => undefined, error: () => undefined }
  return knex({ ...settingsFor(url), acquireConnectionTimeout: 1000, log })
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
  const admin = connectTo(url)
  try {
    await admin.raw('create database ??', [name])
  } catch (error) {
    await admin.destroy()
    await release()
    throw error
  }
  const database = databaseAt(Object.assign(new URL(url), { pathname: `/${name}` }).href)
  return {
    ...database,
    async stop() {
      await database.stop()
      const force = url.startsWith('postgres') ? ' with (force)' : ''
      await admin.raw(`drop database if exists ??${force}`, [name]).catch(() => undefined)
      await admin.destroy()
      await release()
    },
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
