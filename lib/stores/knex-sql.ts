import { TABLES } from './knex-client.js'
import { ON_PRIMARY } from './knex-primary.js'
import type { Dialect } from './knex-statements.js'

/** The id of the one policy document. No record has it: theirs are digests. */
export const THE_POLICY = 'policy'

/** A document, in one row also where there is none, but for `ON_PRIMARY`. Value: its id. */
export function readOne(table: string, dialect: Dialect): string {
  return `select (select [document] from [${table}] where [id] = ?) as [document] ${ON_PRIMARY[dialect]}`
}

/** The record of a user and the policy, in one row, but for `ON_PRIMARY`. Values: the ids of both. */
export function readBoth(dialect: Dialect): string {
  return `
select
  (select [document] from [${TABLES.records}] where [id] = ?) as [record],
  (select [document] from [${TABLES.policy}] where [id] = ?) as [policy]
${ON_PRIMARY[dialect]}`
}

/**
 * PostgreSQL: a row for each of many records, and one for the policy, also where there is none, but for `ON_PRIMARY`. Value: the ids
 * of the records. Each is looked up on its own, by the index: a plan that was made while the table was
 * small would read all of it until the database has counted its rows again.
 */
export const READ_MANY_AND_POLICY = `
select asked.id as [id], (
  select [document] from [${TABLES.records}] as stored where stored.[id] = asked.id
) as [document]
from unnest(cast(? as text[])) as asked (id)
union all
select '${THE_POLICY}', (select [document] from [${TABLES.policy}] where [id] = '${THE_POLICY}')
${ON_PRIMARY.postgresql}`

/** The columns of a record that are its places in the lists. */
export const PLACES = ['since', 'locked_until', 'paused_until', 'mail_reset_due'] as const

const columns = ['document', 'version', ...PLACES, 'id']
const quoted = (column: string) => `[${column}]`

/**
 * PostgreSQL: puts a record in place of a version, and answers its id; no row where another version is stored.
 * Values: document, version, the places in the lists, id, the version that is replaced.
 */
export const REPLACE_RECORD = `
  update [${TABLES.records}]
  set [document] = ?, [version] = ?, ${PLACES.map((place) => `[${place}] = ?`).join(', ')}
  where [id] = ? and [version] = ?
  returning [id]`

/** As `REPLACE_RECORD`, for a user who has no record. Without the last value. */
export const ADD_RECORD = `
  insert into [${TABLES.records}] (${columns.map(quoted).join(', ')})
  values (${columns.map(() => '?').join(', ')})
  on conflict ([id]) do nothing
  returning [id]`

/**
 * PostgreSQL: one of the writes above, and if it has taken place entries of the audit log. In one statement,
 * so both or neither. Values: as of the write, then the entries as JSON, so that the text is the same
 * for any number of them.
 */
export function withEntries(write: string): string {
  return `
with written as (${write}),
noted as (
  insert into [${TABLES.events}] ([id], [user_id], [at], [type], [document])
  select entry.id, entry.user_id, entry.at, entry.type, entry.document
  from written, json_to_recordset(cast(? as json))
    as entry (id text, user_id text, at bigint, type text, document text)
)
select [id] from written`
}
