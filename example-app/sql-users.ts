import type { Knex } from 'knex'
import { type Account, isCursor, orUnavailable, pageOf, type UserStore } from './users.js'

const TABLE = 'example_app_users'
const PATIENCE = 1000

/** Makes the table of accounts, unless it is there or another process is just making it. */
export async function createUsersTable(db: Knex): Promise<void> {
  if (await db.schema.hasTable(TABLE)) return
  const made = db.schema.createTable(TABLE, (table) => {
    table.string('id', 64).notNullable().primary()
    table.string('email', 190).notNullable().unique()
    table.string('name', 200).notNullable()
    table.text('roles').notNullable()
    table.string('password_hash', 200).notNullable()
    // The default of MariaDB has too few letters, and takes "a" for "A" and "á".
    if (db.client.dialect === 'mysql') {
      table.charset('utf8mb4')
      table.collate('utf8mb4_bin')
    }
  })
  await made.catch(async (error: unknown) => {
    if (!(await db.schema.hasTable(TABLE))) throw error
  })
}

export function sqlUsers(db: Knex): UserStore {
  async function findBy(column: 'id' | 'email', value: string): Promise<Account | null> {
    const query = db(TABLE).where(column, value).first().timeout(PATIENCE)
    const row: Row | undefined = await orUnavailable(query)
    return row === undefined ? null : accountOf(row)
  }

  return {
    findById: (id) => findBy('id', id),
    findByEmail: (email) => findBy('email', email),
    async add({ user, passwordHash }) {
      const { id, email, name, roles } = user
      const row = { id, email, name, roles: JSON.stringify(roles), password_hash: passwordHash }
      const query = db(TABLE).insert(row).onConflict('email').ignore().timeout(PATIENCE)
      await orUnavailable(query)
      return (await findBy('email', email))?.user.id === id
    },
    async list({ search, cursor, limit }) {
      if (!isCursor(cursor)) return null
      const query = db(TABLE)
        .orderBy('email')
        .limit(limit + 1)
        .timeout(PATIENCE)
      if (cursor !== null) query.where('email', '>', cursor)
      if (search !== '') {
        const like = `%${search.toLowerCase().replace(/[!%_]/g, '!$&')}%`
        query.whereRaw("(lower(name) like ? escape '!' or email like ? escape '!')", [like, like])
      }
      const rows: readonly Row[] = await orUnavailable(query)
      return pageOf(
        rows.map((row) => accountOf(row).user),
        limit,
      )
    },
  }
}

interface Row {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly roles: string
  readonly password_hash: string
}

function accountOf({ id, email, name, roles, password_hash }: Row): Account {
  return { user: { id, email, name, roles: JSON.parse(roles) }, passwordHash: password_hash }
}
