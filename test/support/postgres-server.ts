import {
  type DatabaseProgram,
  type DatabaseServer,
  newestFolder,
  startDatabase,
} from './database-process.js'

const PROGRAMS = newestFolder('/usr/lib/postgresql', 'bin')

const POSTGRES: DatabaseProgram = {
  name: 'postgres',
  account: 'postgres',
  prepare: (folder) => [
    `${PROGRAMS}initdb`,
    ...['--pgdata', `${folder}/data`, '--username', 'postgres', '--auth', 'trust', '--no-sync'],
    ...['--encoding', 'UTF8', '--locale', 'C.UTF-8'],
  ],
  serve: (folder, port) => [
    `${PROGRAMS}postgres`,
    ...['-D', `${folder}/data`, '-p', String(port), '-c', 'listen_addresses=127.0.0.1'],
    ...['-c', 'unix_socket_directories=', '-c', 'fsync=off', '-c', 'max_connections=200'],
  ],
  ready: 'database system is ready to accept connections',
  killedBy: 'SIGQUIT',
  url: (port) => `postgres://postgres@127.0.0.1:${port}/postgres`,
}

/** Starts PostgreSQL; nothing is lost when it is killed, unless the machine goes down. */
export function startPostgres(): Promise<DatabaseServer> {
  return startDatabase(POSTGRES)
}

/**
 * Starts PostgreSQL that ends with all of its processes at once, as a machine does.
 *
 * @param waitsFor the standby that each commit waits for; an empty text: none
 */
export function startPrimary(waitsFor: string): Promise<DatabaseServer> {
  const waits = ['-c', `synchronous_standby_names=${waitsFor}`, '-c', 'synchronous_commit=on']
  return startDatabase({
    ...POSTGRES,
    serve: (folder, port) => [...POSTGRES.serve(folder, port), ...waits],
    killedBy: 'SIGKILL',
  })
}

/** Starts a copy of another PostgreSQL that follows it. The other one knows it by this name. */
export function startStandby(primary: DatabaseServer, name: string): Promise<DatabaseServer> {
  const { hostname, port, username } = new URL(primary.url)
  const from = `host=${hostname} port=${port} user=${username} application_name=${name}`
  return startDatabase({
    ...POSTGRES,
    prepare: (folder) => [
      `${PROGRAMS}pg_basebackup`,
      ...['--pgdata', `${folder}/data`, '--dbname', from, '--write-recovery-conf'],
      ...['--wal-method', 'stream', '--checkpoint', 'fast', '--no-sync'],
    ],
    ready: 'database system is ready to accept read',
  })
}
