import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { drizzle } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import { drizzleStore } from '../../docs/drizzle-store.js'
import { recordStoreCases } from '../../lib/testing/index.js'
import { rejectionOf } from '../stores/rejection.js'
import { POSTGRESQL, type TestDatabase } from '../support/databases.js'

const docs = new URL('../../docs/', import.meta.url)
const page = readFileSync(new URL('your-own-database.md', docs), 'utf8')

/** The page's blocks of code in one language. */
function blocks(language: string): readonly string[] {
  const fences = page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)
  return [...fences].flatMap(([, name, code]) => (name === language && code ? [code] : []))
}

describe('the page "Store it in your own database"', function () {
  this.timeout(60_000)
  let database: TestDatabase
  const pools: pg.Pool[] = []
  before(async () => {
    database = await POSTGRESQL.start()
    for (const _ of ['store', 'another']) {
      // The database is dropped while the server still closes their connections.
      pools.push(new pg.Pool({ connectionString: database.url }).on('error', () => undefined))
    }
    for (const statements of blocks('sql')) await pools[0]?.query(statements)
  })
  after(async () => {
    await Promise.all(pools.map((pool) => pool.end()))
    await database?.stop()
  })
  const stores = () => pools.map((pool) => drizzleStore(drizzle(pool)))

  it('shows the adapter that is tested here', () => {
    expect(blocks('ts')).to.include(readFileSync(new URL('drizzle-store.ts', docs), 'utf8'))
  })

  describe('has an adapter that keeps the contract of a record store', () => {
    for (const { name, run } of recordStoreCases) {
      it(name, () =>
        run(async () => {
          await pools[0]?.query('truncate second_step')
          const [store, another] = stores()
          if (store === undefined || another === undefined) throw new Error('no database')
          return { store, another }
        }),
      )
    }
  })

  it('has an adapter that rejects where its table is gone', async () => {
    const [store] = stores()
    await pools[0]?.query('alter table second_step rename to elsewhere')
    await rejectionOf(store?.find('user'))
    await rejectionOf(store?.findPolicy())
    await pools[0]?.query('alter table elsewhere rename to second_step')
  })
})
