import { type DatabaseServer, newestFolder, startDatabase } from './database-process.js'

/** Starts PostgreSQL; nothing is lost when it is killed, unless the machine goes down. */
export function startPostgres(): Promise<DatabaseServer> {
  const programs = newestFolder('/usr/lib/postgresql', 'bin')
  return startDatabase({
    name: 'postgres',
    account: 'postgres',
    prepare: (folder) => [
      `${programs}initdb`,
      ...['--pgdata', `${folder}/data`, '--username', 'postgres', '--auth', 'trust', '--no-sync'],
      ...['--encoding', 'UTF8', '--locale', 'C.UTF-8'],
    ],
    serve: (folder, port) => [
      `${programs}postgres`,
      ...['-D', `${folder}/data`, '-p', String(port), '-c', 'listen_addresses=127.0.0.1'],
      ...['-c', 'unix_socket_directories=', '-c', 'fsync=off', '-c', 'max_connections=200'],
    ],
    ready: 'database system is ready to accept connections',
    killedBy: 'SIGQUIT',
    url: (port) => `postgres://postgres@127.0.0.1:${port}/postgres`,
  })
}
