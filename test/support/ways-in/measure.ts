import { DAY, MINUTE, movedSystem } from '../clock.js'
import type { HostUser } from '../host.js'
import { editSession } from '../sessions.js'
import type { Visitor } from '../visitor.js'
import { askAtAllDoors, type Outcomes } from './doors.js'
import { appCode, done, giveCode, givePassword, type Person, personOf, setUp } from './person.js'
import { enforce, ROLE_NAMES, ROLES, type Role, startPlace } from './place.js'
import { standingOf } from './standing.js'
import { KEEPER, type State, type Step } from './states.js'
import { CHAINS, type Others, ROLES_OF, type Way } from './ways.js'

/** How far one way in leads a user of one role in one state. */
export interface Cell {
  readonly state: State
  readonly way: Way
  readonly role: Role
  readonly standing: string
  /** Of one cell of each standing in the state, for admins and for others. */
  readonly outcomes: Outcomes | null
}

/** A user, and the ways that are tried with them one after the other. */
interface Trial {
  readonly person: Person
  readonly ways: readonly Way[]
}

/** Longer than a code is fresh, and than the limit of what an admin may change. */
const BETWEEN_STEPS = 11 * MINUTE
/** Longer than a code is fresh, and shorter than a pending login. */
const LATER = 6 * MINUTE

/** Brings users of every role into a state, in an app of their own, and tries every way in. */
export async function measure(state: State): Promise<readonly Cell[]> {
  const createdAt = movedSystem().now() - (state.isNew === true ? 1 : 400) * DAY
  const userOf = (id: string, role: Role): HostUser => {
    const email = `${id.replaceAll(/\W+/g, '-')}@acme.example`
    return { id, name: id, password: `password of ${id}`, email, roles: [role], createdAt }
  }
  const chains = ROLE_NAMES.flatMap((role) =>
    CHAINS.map((chain) => chain.filter((way) => isTried(way, role, state)))
      .filter((ways) => ways.length > 0)
      .map((ways, index) => ({ ways, role, user: userOf(`${role} ${index}`, role) })),
  )
  const special = {
    keeper: userOf(KEEPER, 'admin, off'),
    other: userOf('other keeper', 'admin, off'),
    neighbour: userOf('neighbour', 'optional'),
    guest: userOf('guest', 'optional'),
    target: userOf('target', 'optional'),
  }
  const place = await startPlace([...chains.map(({ user }) => user), ...Object.values(special)])
  try {
    const trials = chains.map(({ user, role, ways }) => ({
      person: personOf(place, role, user, {
        wantsSession: ways.some(({ comesBack }) => comesBack === true),
      }),
      ways,
    }))
    const neighbour = personOf(place, 'optional', special.neighbour)
    const keeper = personOf(place, 'admin, off', special.keeper)
    const other = personOf(place, 'admin, off', special.other)
    for (const one of [neighbour, keeper, other]) done(await setUp(one, await givePassword(one)))
    await bringInto(state, trials, [keeper, other])
    await enforce(place)
    return await tryAll(state, trials, {
      neighbour,
      guest: personOf(place, 'optional', special.guest),
    })
  } finally {
    await place.stop()
  }
}

function isTried({ needs, roles = 'every' }: Way, role: Role, { has }: State): boolean {
  if (!ROLES_OF[roles].includes(role)) return false
  return needs === undefined || has.includes(needs)
}

async function bringInto(
  { steps }: State,
  trials: readonly Trial[],
  keepers: readonly [Person, ...Person[]],
): Promise<void> {
  const { system, host } = keepers[0].place
  const comingBack = trials.map(({ person }) => person).filter(({ wantsSession }) => wantsSession)
  await each(comingBack, async (person) => {
    person.unseen = await givePassword(person)
  })
  editSession(host, (session) => delete session.secondStep)
  await each(comingBack, async (person) => {
    person.bySight = await givePassword(person)
  })
  system.advance(BETWEEN_STEPS)
  for (const step of steps) {
    if (typeof step === 'number') system.advance(step)
    else await Promise.all(inParts(trials, keepers).map((part) => takeStep(step, part)))
    system.advance(BETWEEN_STEPS)
  }
}

/** What one admin changes. */
interface Part {
  readonly trials: readonly Trial[]
  readonly keeper: Person
}

/** One admin may do the same to few users a day. */
function inParts(trials: readonly Trial[], keepers: readonly Person[]): readonly Part[] {
  return keepers.map((keeper, index) => ({
    keeper,
    trials: trials.filter((_, place) => place % keepers.length === index),
  }))
}

async function takeStep(step: Step, { trials, keeper }: Part): Promise<void> {
  const admin = await givePassword(keeper)
  done(await giveCode(admin, appCode(keeper)))
  await each(trials, ({ person }) => step(person, admin))
}

async function tryAll(
  state: State,
  trials: readonly Trial[],
  others: Others,
): Promise<readonly Cell[]> {
  const cells: Cell[] = []
  const known = new Set<string>()
  const firsts = new Map<Person, Visitor | null>()
  const tryOne = async (way: Way, person: Person) => {
    const visitor = await way.go(person, others, firsts.get(person) ?? null)
    if (!firsts.has(person)) firsts.set(person, visitor)
    const { role } = person
    if (visitor === null) {
      cells.push({ state, way, role, standing: '–', outcomes: null })
      return
    }
    const { isAdmin } = ROLES[role]
    const standing = await standingOf(visitor, person.user.id, isAdmin)
    // Who is not in is asked for no role.
    const key = `${standing} ${isAdmin && standing.startsWith('in')} ${way.byToken === true}`
    const isNew = ROLES_OF.one.includes(role) && !known.has(key)
    if (isNew) known.add(key)
    const outcomes = isNew ? await askAtAllDoors(visitor, person.user.id) : null
    cells.push({ state, way, role, standing, outcomes })
  }
  for (const later of [false, true]) {
    for (const { person, ways } of trials) {
      for (const way of ways) if ((way.isLater === true) === later) await tryOne(way, person)
    }
    others.neighbour.place.system.advance(LATER)
  }
  return cells
}

/** All at once. */
async function each<One>(all: readonly One[], act: (one: One) => Promise<void>): Promise<void> {
  await Promise.all(all.map(act))
}
