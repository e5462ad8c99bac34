import type { Knex } from 'knex'
import { TABLES } from './knex-client.js'

type Statement = (schema: Knex.SchemaBuilder) => Knex.SchemaBuilder

const records: readonly Statement[] = [
  (schema) =>
    schema.createTable(TABLES.records, (table) => {
      table.string('id', 64).notNullable().primary()
      table.integer('version').notNullable()
      table.text('document', 'mediumtext').notNullable()
      table.bigInteger('since')
      table.bigInteger('locked_until')
      table.bigInteger('paused_until')
    }),
  indexed(TABLES.records, 'since'),
  indexed(TABLES.records, 'locked_until'),
  indexed(TABLES.records, 'paused_until'),
]

const policy = documents(TABLES.policy)
const serials = documents(TABLES.serials)

const events: readonly Statement[] = [
  (schema) =>
    schema.createTable(TABLES.events, (table) => {
      table.string('id', 30).notNullable().primary()
      table.string('user_id', 64).notNullable()
      table.bigInteger('at').notNullable()
      table.text('document', 'mediumtext').notNullable()
    }),
  indexed(TABLES.events, 'user_id'),
]

const mailResets: readonly Statement[] = [
  (schema) =>
    schema.alterTable(TABLES.records, (table) => {
      table.bigInteger('mail_reset_due')
    }),
  indexed(TABLES.records, 'mail_reset_due'),
]

const counters: readonly Statement[] = [
  (schema) =>
    schema.createTable(TABLES.counters, (table) => {
      table.string('id', 64).notNullable().primary()
      table.bigInteger('taken').notNullable()
      table.bigInteger('ends').notNullable()
    }),
  indexed(TABLES.counters, 'ends'),
]

/** Entries of before have none, and are not counted. */
const types: readonly Statement[] = [
  (schema) =>
    schema.alterTable(TABLES.events, (table) => {
      table.string('type', 40)
    }),
  indexed(TABLES.events, 'type'),
]

/**
 * The additions of each version. Statements only add, and each is independent: if another process
 * was faster, or a killed process got that far, a statement may fail as "already there".
 */
export const VERSIONS: readonly (readonly Statement[])[] = [
  [...records, policy, ...events],
  mailResets,
  counters,
  [serials],
  types,
]

/** Documents that no list is made of. */
function documents(name: string): Statement {
  return (schema) =>
    schema.createTable(name, (table) => {
      table.string('id', 64).notNullable().primary()
      table.integer('version').notNullable()
      table.text('document', 'mediumtext').notNullable()
    })
}

/** Sorted by one column and then by id, as pages are. */
function indexed(table: string, column: string): Statement {
  return (schema) =>
    schema.alterTable(table, (change) => {
      change.index([column, 'id'], `${table}_${column}`)
    })
}
