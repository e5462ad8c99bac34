import type { Counters, Place, Taking, WantedPlace } from '../ports/counters.js'
import { type Database, TABLES } from '../stores/knex-client.js'
import { triedAgain } from './knex-tried-again.js'

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
  /** Places that were taken before. */
  readonly before: string
  /** Milliseconds until the window ends. */
  readonly wait: string
  /** Places that are taken now; null if nothing was written. */
  readonly taken: string | null
}

type TakeAll = NonNullable<Counters['takeAll']>

const TRIES = 5

/**
 * Takes several places in one statement of PostgreSQL, all or none. Counts that are there are locked, in the
 * order of their ids, and only then looked at; all are found by their ids alone, in a table of any size. A count that another statement creates meanwhile is
 * seen only when it is written: if it is full by then, the places taken are given back, and all are
 * asked for anew.
 *
 * @param now the database's clock, in SQL
 * @param idOf the id of a count's row
 */
export function takeAllInPostgresql(
  { statement }: Database,
  now: string,
  idOf: (place: Place) => string,
): TakeAll {
  const send = statement(`
with asked as (
  select * from json_to_recordset(cast(? as json))
    as asked (id text, most bigint, optional boolean, lasts bigint, back bigint)
),
held as (
  select stored.* from asked cross join lateral (
    select [id], [taken], [ends] from [${TABLES.counters}] as stored where stored.[id] = asked.id
    for update
  ) as stored
),
live as (
  select asked.id, held.[taken], held.[ends] from asked join held on held.[id] = asked.id
  where held.[ends] > ${now} and held.[ends] <= ${now} + 2 * asked.lasts
),
present as (
  select asked.*, held.[id] is not null as held, live.id is not null as live,
    greatest(0, coalesce(live.[taken], 0) - asked.back) as before,
    coalesce(live.[ends], ${now} + asked.lasts) as ends
  from asked left join held on held.[id] = asked.id left join live on live.id = asked.id
),
verdict as (
  select not exists (
    select 1 from present where most is not null and not optional and before >= most
  ) as free
),
wanted as (
  select present.*, free and most is not null and before < most as takes from present, verdict
),
written as (
  insert into [${TABLES.counters}] as stored ([id], [taken], [ends])
  select id, before + case when takes then 1 else 0 end, ends
  from wanted where takes or (live and back > 0)
  on conflict ([id]) do update set
    [taken] = case
      when (select held from wanted where wanted.id = excluded.[id]) then excluded.[taken]
      else stored.[taken] + 1
    end,
    [ends] = case
      when (select held from wanted where wanted.id = excluded.[id]) then excluded.[ends]
      else stored.[ends]
    end
  where (
    select held or stored.[taken] < most from wanted where wanted.id = excluded.[id]
  )
  returning stored.[id], stored.[taken]
)
select wanted.id as [id], free as [free], before as [before], wanted.ends - ${now} as [wait],
  written.[taken] as [taken]
from wanted cross join verdict left join written on written.[id] = wanted.id`)

  async function ask(asked: readonly Asked[]): Promise<ReadonlyMap<string, Answered>> {
    const rows = await triedAgain(() => send([JSON.stringify(inOrder(asked))]))
    return new Map((rows as readonly Answered[]).map((row) => [row.id, row]))
  }

  return async (wanted, back) => {
    const places = wanted.map((place) => askedFor(place, idOf(place)))
    const given = back.map((place) => givenBack(place, idOf(place)))
    let answers = await ask(merged([...places, ...given]))
    for (let tried = 1; places.some((place) => isMissed(place, answers)); tried += 1) {
      const taken = places.filter((place) => isTaken(place, answers))
      if (taken.length > 0) await ask(taken.map((place) => ({ ...place, most: null, back: 1 })))
      if (tried === TRIES) throw new Error('the counts were changed by others all the time')
      answers = await ask(places)
    }
    return places.map((place) => takingOf(place, answers))
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

/** Two statements that lock the same counts in one order do not wait for each other. */
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

/** @throws Error where the answer is nonsense */
function lookedUp({ id, most }: Wanted, answers: ReadonlyMap<string, Answered>) {
  const answer = answers.get(id)
  const [before, wait] = [Number(answer?.before), Number(answer?.wait)]
  if (answer === undefined || !Number.isSafeInteger(before) || !Number.isSafeInteger(wait)) {
    throw new Error('the database answered nonsense to a count')
  }
  const taken = answer.taken === null ? null : Number(answer.taken)
  return { isFree: before < most, areFree: answer.free === true, taken, wait }
}

function isTaken(place: Wanted, answers: ReadonlyMap<string, Answered>): boolean {
  const { isFree, areFree, taken } = lookedUp(place, answers)
  return areFree && isFree && taken !== null
}

/** Whether it was free, and full when it was to be written. */
function isMissed(place: Wanted, answers: ReadonlyMap<string, Answered>): boolean {
  const { isFree, areFree, taken } = lookedUp(place, answers)
  return areFree && isFree && taken === null && !place.optional
}

function takingOf(place: Wanted, answers: ReadonlyMap<string, Answered>): Taking {
  const { isFree, taken, wait } = lookedUp(place, answers)
  if (isTaken(place, answers)) {
    return { taken: true, left: place.most - Number(taken), retryAfter: 0 }
  }
  return { taken: false, left: 0, retryAfter: isFree ? 0 : Math.max(1, wait) }
}
