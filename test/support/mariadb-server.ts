import { type DatabaseServer, startDatabase } from './database-process.js'

/** Starts MariaDB; nothing is lost when it is killed, unless the machine goes down. */
export function startMariadb(): Promise<DatabaseServer> {
  return startDatabase({
    name: 'mariadb',
    account: 'mysql',
    prepare: (folder) => [
      ...['mariadb-install-db', '--no-defaults', `--datadir=${folder}/data`, '--skip-test-db'],
      ...['--auth-root-authentication-method=normal', temporary(folder)],
    ],
    serve: (folder, port) => [
      ...['mariadbd', '--no-defaults', `--datadir=${folder}/data`, `--port=${port}`],
      ...['--bind-address=127.0.0.1', `--socket=${folder}/socket`, `--pid-file=${folder}/pid`],
      ...['--innodb-flush-log-at-trx-commit=2', '--max-connections=200', temporary(folder)],
    ],
    ready: 'ready for connections',
    killedBy: 'SIGKILL',
    url: (port) => `mysql://root@127.0.0.1:${port}/mysql`,
  })
}

/** A server that starts removes the temporary tables of all others in the same folder. */
function temporary(folder: string): string {
  return `--tmpdir=${folder}`
}
