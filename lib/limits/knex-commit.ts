import type { Database } from '../stores/knex-client.js'

const ALONE = `case current_setting('synchronous_commit') when 'off' then 'off'
else set_config('synchronous_commit', 'local', true) end is not null`

/**
 * A condition that always holds, and lets the statement that evaluates it commit without a synchronous standby. Counts may
 * be lost without harm. But while the only standby is away, each commit that waits for it keeps a connection of the
 * server, even when its client has gone: strangers who try passwords would use up all of them.
 *
 * @returns null where there is no such thing, and in a transaction of the host's, which may hold more than counts
 */
export function commitsAlone({ dialect, isCockroach, inTransaction }: Database): string | null {
  return dialect === 'postgresql' && !isCockroach && !inTransaction ? ALONE : null
}
