import type { Counters, Place, Taking, WantedPlace } from '../ports/counters.js'
import { type Database, TABLES } from '../stores/knex-client.js'
import { commitsAlone } from './knex-commit.js'

/** What is done to one count: a place taken (`most`: not above; null: none taken), and places given back. */
interface Asked {
  readonly id: string
  readonly most: number | null
  readonly optional: boolean
  readonly lasts: number
  readonly back: number
}

interface Wanted extends Asked {
  readonly most: number
}

/** A row of the answer. Drivers answer large integers as text. */
interface Answered {
  readonly id: string
  /** Whether every place that must be taken was free. */
  readonly free: boolean
  /** Whether the places were taken. False as well where a count was created or removed meanwhile. */
  readonly whole: boolean
  /** Places that were taken before. */
  readonly before: string
  /** Milliseconds until the window ends. */
  readonly wait: string
  /** Whether the count was created, with one place taken: also where not all were taken. */
  readonly opened: boolean
}

type TakeAll = NonNullable<Counters['takeAll']>

/**
 * Takes several places in one statement of PostgreSQL, all or none. All counts are found by their ids
 * alone, in a table of any size.
 *
 * First the statement creates the counts that it does not see. Then it locks those that it sees, and only
 * then decides. Both go in the order of the ids. Statements never wait for each other in a circle:
 * while one creates counts, it holds none that another one sees, and waits only for others
 * that create; while it locks, all that another one could wait for comes later in the order.
 *
 * A count that another statement has created meanwhile is not locked, because it would be out of order: all
 * are asked for anew, and what was created is given back in the same statement.
 *
 * @param now the database's clock, in SQL
 * @param idOf the id of a count's row
 */
export function takeAllInPostgresql(
  database: Database,
  now: string,
  idOf: (place: Place) => string,
): TakeAll {
  const isLive = `stored.[ends] > ${now} and stored.[ends] <= ${now} + 2 * asked.lasts`
  const alone = commitsAlone(database)
  const before = `case when ${isLive} then greatest(0, stored.[taken] - asked.back) else 0 end`
  const send = database.statement(`
with asked as (
  select * from json_to_recordset(cast(? as json))
    as asked (id text, most bigint, optional boolean, lasts bigint, back bigint)
),
seen as (
  select asked.*, stored.before from asked left join lateral (
    select ${before} as before from [${TABLES.counters}] as stored where stored.[id] = asked.id
    limit 1
  ) as stored on true
),
opened as (
  insert into [${TABLES.counters}] ([id], [taken], [ends])
  select id, 1, ${now} + lasts from seen
  where before is null and most >= 1 and not exists (
    select 1 from seen where not optional and coalesce(before, 0) >= most
  )
  order by id
  on conflict ([id]) do nothing
  returning [id]
),
begun as (select count(*) as counts from opened),
held as (
  select stored.* from begun cross join asked cross join lateral (
    select stored.[id], ${isLive} as live, ${before} as before,
      case when ${isLive} then stored.[ends] else ${now} + asked.lasts end as ends
    from [${TABLES.counters}] as stored where stored.[id] = asked.id and begun.counts >= 0
    for update
  ) as stored
),
present as (
  select asked.*, held.[id] is not null as held, opened.[id] is not null as opened, held.live,
    coalesce(held.before, 0) as before, coalesce(held.ends, ${now} + asked.lasts) as ends
  from asked left join held on held.[id] = asked.id left join opened on opened.[id] = asked.id
),
verdict as (
  select free, free and there as whole from (
    select coalesce(bool_and(optional or most is null or before < most), true) as free,
      coalesce(bool_and(held or opened or most is null or most < 1), true) as there
    from present
  ) as present
),
written as (
  insert into [${TABLES.counters}] ([id], [taken], [ends])
  select id, before + case when takes then 1 else 0 end, ends from (
    select present.*, whole and coalesce(before < most, false) as takes from present, verdict
  ) as present
  where held and (takes or (live and back > 0))
  on conflict ([id]) do update set [taken] = excluded.[taken], [ends] = excluded.[ends]
)
select id as [id], free as [free], whole as [whole], before as [before], ends - ${now} as [wait],
  opened as [opened]
from present cross join verdict${alone === null ? '' : ` where ${alone}`}`)

  async function ask(asked: readonly Asked[]): Promise<ReadonlyMap<string, Answered>> {
    const rows = await send([JSON.stringify(inOrder(merged(asked)))])
    return new Map((rows as readonly Answered[]).map((row) => [row.id, row]))
  }

  return async (wanted, back) => {
    const places = wanted.map((place) => askedFor(place, idOf(place)))
    let given = back.map((place) => givenBack(place, idOf(place)))
    const began = performance.now()
    for (;;) {
      const answers = await ask([...places, ...given])
      const found = places.map((place) => lookedUp(place, answers))
      if (found.every(({ whole }) => whole)) return found.map(takingOf)
      given = found.flatMap(({ place, opened }) =>
        opened ? [{ ...place, most: null, back: 1 }] : [],
      )
      const isRefused = found.some(({ free }) => !free)
      // Later, nobody waits for the answer, and the places would be kept.
      if (!isRefused && performance.now() - began < database.longest) continue
      if (given.length > 0) await ask(given)
      if (isRefused) return found.map(takingOf)
      throw new Error('the counts were changed by others all the time')
    }
  }
}

/** Also for limits that are no numbers: nothing is unlimited. */
function askedFor({ limit, seconds, optional = false }: WantedPlace, id: string): Wanted {
  const most = limit >= 1 ? Math.min(Math.floor(limit), Number.MAX_SAFE_INTEGER) : 0
  return { id, most, optional, lasts: 1000 * seconds, back: 0 }
}

function givenBack({ seconds }: Place, id: string): Asked {
  return { id, most: null, optional: false, lasts: 1000 * seconds, back: 1 }
}

/** Statements that lock the same counts in one order do not wait for each other in a circle. */
function inOrder(asked: readonly Asked[]): readonly Asked[] {
  return [...asked].sort((one, other) => (one.id < other.id ? -1 : 1))
}

/** What is asked of one count, together: a statement changes a row once. */
function merged(all: readonly Asked[]): readonly Asked[] {
  const byId = new Map<string, Asked>()
  for (const one of all) {
    const first = byId.get(one.id)
    byId.set(one.id, first === undefined ? one : { ...first, back: first.back + one.back })
  }
  return [...byId.values()]
}

interface Found {
  readonly place: Wanted
  readonly free: boolean
  readonly whole: boolean
  readonly opened: boolean
  readonly before: number
  readonly wait: number
}

/** @throws Error where the answer is nonsense */
function lookedUp(place: Wanted, answers: ReadonlyMap<string, Answered>): Found {
  const answer = answers.get(place.id)
  const [before, wait] = [Number(answer?.before), Number(answer?.wait)]
  if (answer === undefined || !Number.isSafeInteger(before) || !Number.isSafeInteger(wait)) {
    throw new Error('the database answered nonsense to a count')
  }
  const [free, whole] = [answer.free === true, answer.whole === true]
  return { place, free, whole, opened: answer.opened === true, before, wait }
}

function takingOf({ place: { most }, whole, before, wait }: Found): Taking {
  const isFree = before < most
  if (whole && isFree) return { taken: true, left: most - before - 1, retryAfter: 0 }
  return { taken: false, left: 0, retryAfter: isFree ? 0 : Math.max(1, wait) }
}
