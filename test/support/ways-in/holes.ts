import { DOOR_NAMES, type Door, type Outcomes } from './doors.js'
import type { Cell } from './measure.js'
import { acceptedOf, ROLES } from './place.js'

/**
 * Cells that must not be, whatever people have agreed to: each with the sentence that it breaks. They
 * are derived from what the user has and gives alone.
 */
export function holesIn(cells: readonly Cell[]): readonly string[] {
  return cells.flatMap((cell) =>
    [...standingHoles(cell), ...doorHoles(cell)].map(
      (rule) => `${cell.state.name} / ${cell.way.name} / ${cell.role}: ${cell.standing}. ${rule}`,
    ),
  )
}

function* standingHoles(cell: Cell): Generator<string> {
  const { state, way, role, standing } = cell
  const { gives, comesBack, isLater } = way
  const isIn = standing.startsWith('in')
  const isFresh = isIn && standing.includes('fresh')
  const isAdmin = standing.includes('admin')
  const leadsOn = isIn || standing === 'set-up'

  yield* ruleHoles(cell)
  if (gives === 'over' && standing !== 'out') yield 'What is over opens nothing.'
  if (isProtected(cell) && ['nothing', 'set-up'].includes(gives) && leadsOn) {
    yield 'Without a factor, a user who has one gets no further than the code.'
  }
  const short = [
    'nothing',
    'factor',
    'reset',
    'trust',
    ...(state.mustSetUp === true ? ['upstream'] : []),
  ]
  if (owesSetUp(cell) && short.includes(gives) && isIn) {
    yield 'Who must set up is not in before.'
  }
  if (isProtected(cell) && gives === 'reset' && isIn) yield 'A reset opens the set-up alone.'
  if (state.locked === true && way.needs === 'app' && comesBack !== true && isIn && isAsked(cell)) {
    yield 'A locked app opens nothing.'
  }
  const justProved = ['factor', 'set-up', 'reset, set-up'].includes(gives)
  if (isFresh && (!justProved || comesBack === true || isLater === true)) {
    yield 'Only a code of the last minutes is fresh.'
  }
  // Who had none may have set one up, by the password alone or by what takes its place.
  const byKey = way.needs === 'key' || (way.gives.includes('set-up') && !state.has.includes('key'))
  if (standing.includes('key') && !byKey) yield 'Only a key opens what accepts keys alone.'
  if (!isAdmin) return
  if (!ROLES[role].isAdmin) yield 'Only admins administer.'
  if (!justProved) yield 'An admin has given a code in this session.'
  if (isPaused(cell) && comesBack === true) yield 'A paused admin administers nothing.'
}

/** What a rule of the role does not accept opens nothing; it leads to the set-up only whom it has nothing better of. */
function* ruleHoles(cell: Cell): Generator<string> {
  const { state, way, role, standing } = cell
  const accepted = acceptedOf(role)
  if (accepted === null || !isProtected(cell)) return
  const isIn = standing.startsWith('in')
  const isByFactor = way.gives === 'factor' && methodOf(cell) !== accepted
  const isByOther = isByFactor || way.gives === 'trust' || way.gives === 'upstream'
  if (isIn && isByOther) yield 'What a rule does not accept signs nobody in.'
  const hasIt = state.has.includes(THING_OF[accepted])
  const isReset = way.gives === 'reset' || way.gives === 'reset, set-up'
  if (hasIt && (isByOther || isReset) && (isIn || standing === 'set-up')) {
    yield 'Who has what a rule accepts gets no further with anything else.'
  }
}

const METHOD_OF = { app: 'totp', fob: 'hotp', key: 'webauthn' } as const
const THING_OF = { totp: 'app', hotp: 'fob', webauthn: 'key' } as const

/** The method of the factor that a way gives, or of the session that it comes back to. */
function methodOf({ state, way }: Cell): string | null {
  // Who has a key has opened the session with it.
  const kept = (['key', 'app', 'fob'] as const).find((thing) => state.has.includes(thing))
  const used = way.needs === 'session' ? kept : way.needs
  return used === 'key' || used === 'app' || used === 'fob' ? METHOD_OF[used] : null
}

/** Whether the policy asks this user for a second step at all. */
function isAsked({ role }: Cell): boolean {
  return ROLES[role].mode !== 'off' || ROLES[role].isAdmin
}

function isPaused({ state, role }: Cell): boolean {
  return state.paused === 'until' || (state.paused === 'forever' && ROLES[role].mode !== 'required')
}

/** Whether the user has a factor, and must give it. */
function isProtected(cell: Cell): boolean {
  return cell.state.enrolled && isAsked(cell) && !isPaused(cell)
}

/** Whether the user has none, and must get one first. */
function owesSetUp(cell: Cell): boolean {
  const { state, role } = cell
  if (state.enrolled || !isAsked(cell)) return false
  const hasGrace = state.isNew === true && !ROLES[role].isAdmin
  return state.mustSetUp === true || (ROLES[role].mode === 'required' && !hasGrace)
}

const NOT_BY_TOKEN: readonly Door[] = [
  ...([
    'web socket',
    'fresh code',
    'fresh key',
    'settings',
    'change in settings',
    'set-up',
  ] as const),
  ...(['admins read', 'admins change'] as const),
]

function* doorHoles({ way, role, standing, outcomes }: Cell): Generator<string> {
  if (outcomes === null) return
  const isIn = standing.startsWith('in')
  const open = openDoors(outcomes)
  if (!isIn && open.some((door) => door !== 'set-up' || standing !== 'set-up')) {
    yield `Who is not in finds no door open, and not: ${open.join(', ')}.`
  }
  const opensAdmin = open.some((door) => door.startsWith('admins'))
  if (opensAdmin && (!ROLES[role].isAdmin || !standing.includes('admin'))) {
    yield 'Only admins with a code of this session find the admin router open.'
  }
  if (open.includes('fresh code') !== standing.includes('fresh')) {
    yield 'What is fresh is fresh at each door.'
  }
  if (open.includes('fresh key') !== standing.includes('key')) {
    yield 'A door for keys alone opens to whoever is fresh by a key.'
  }
  if (way.byToken === true && open.some((door) => NOT_BY_TOKEN.includes(door))) {
    yield 'A credential of one request opens no door that is for sessions.'
  }
}

/** The open page is for everybody, as long as it does not take them for the user. */
function openDoors(outcomes: Outcomes): readonly Door[] {
  return DOOR_NAMES.filter(
    (door) => /^in\b/.test(outcomes[door]) || outcomes[door] === 'asks for a proof',
  )
}
