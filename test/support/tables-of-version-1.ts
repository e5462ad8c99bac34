import type { Knex } from 'knex'
import { jsonOf } from '../../lib/stores/knex-client.js'
import { hashOf } from '../../lib/stores/list-cursor.js'
import { enrolledRecord } from '../../lib/testing/documents.js'

/**
 * The tables as version 1 of them was, with the records of some users. Written out, because what
 * stands in hosts' databases does not change with the package.
 */
export async function makeTablesOfVersion1(db: Knex, userIds: readonly string[]): Promise<void> {
  await db.schema.createTable('second_step_schema', (table) => {
    table.integer('version').notNullable().primary()
  })
  await db.schema.createTable('second_step_records', (table) => {
    table.string('id', 64).notNullable().primary()
    table.integer('version').notNullable()
    table.text('document', 'mediumtext').notNullable()
    for (const column of ['since', 'locked_until', 'paused_until']) {
      table.bigInteger(column)
      table.index([column, 'id'], `second_step_records_${column}`)
    }
  })
  await db.schema.createTable('second_step_policy', (table) => {
    table.string('id', 64).notNullable().primary()
    table.integer('version').notNullable()
    table.text('document', 'mediumtext').notNullable()
  })
  await db.schema.createTable('second_step_events', (table) => {
    table.string('id', 30).notNullable().primary()
    table.string('user_id', 64).notNullable()
    table.bigInteger('at').notNullable()
    table.text('document', 'mediumtext').notNullable()
    table.index(['user_id', 'id'], 'second_step_events_user_id')
  })
  const rows = userIds.map((userId) => {
    const record = enrolledRecord(userId, 1)
    const since = record.authenticators[0]?.since ?? null
    return { id: hashOf(userId), version: 1, document: jsonOf(record), since }
  })
  await db('second_step_records').insert(rows)
  await db('second_step_schema').insert({ version: 1 })
}
