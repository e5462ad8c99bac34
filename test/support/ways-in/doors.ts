import type { Answer, Visitor } from '../visitor.js'
import { ADMIN } from './place.js'

type Ask = (visitor: Visitor, userId: string) => Promise<string>

/** Each kind of route, and what a visitor gets there: `in`, or how they are refused. */
export const DOORS = {
  page: async (visitor, id) => whoIsIn(await visitor.getPage('/inside'), id),
  JSON: async (visitor, id) => whoIsIn(await visitor.getJson('/inside'), id),
  'web socket': async (visitor, id) => whoIsIn(await visitor.getJson('/socket'), id),
  'open page': async (visitor, id) => whomItSees(await visitor.getPage('/login/help'), id),
  'fresh code': async (visitor) => outcome(await visitor.postJson('/payout')),
  'fresh key': async (visitor) => outcome(await visitor.postJson('/owners')),
  "fresh code, `notEnrolled: 'pass'`": async (visitor) =>
    outcome(await visitor.postJson('/profile')),
  settings: async (visitor) => outcome(await visitor.getJson('/second-step/')),
  'change in settings': async (visitor) =>
    outcome(await visitor.postJson('/second-step/backup-codes')),
  'set-up': async (visitor) => outcome(await visitor.getJson('/second-step/setup')),
  'admins read': async (visitor) => outcome(await visitor.getJson(`${ADMIN}/events`)),
  'admins change': async (visitor) =>
    outcome(await visitor.postJson(`${ADMIN}/users/target/unlock`)),
} as const satisfies Readonly<Record<string, Ask>>

export type Door = keyof typeof DOORS

export const DOOR_NAMES = Object.keys(DOORS) as readonly Door[]

/** What a visitor gets at the doors. */
export type Outcomes = Readonly<Record<Door, string>>

export async function askAtAllDoors(visitor: Visitor, userId: string): Promise<Outcomes> {
  const outcomes: Partial<Record<Door, string>> = {}
  for (const door of DOOR_NAMES) outcomes[door] = await DOORS[door](visitor, userId)
  return outcomes as Outcomes
}

const PAGES: Readonly<Record<string, string>> = {
  '/second-step/challenge': 'code-required',
  '/second-step/setup': 'setup-required',
  '/second-step/fresh': 'fresh-code-required',
}

function outcome({ status, headers, body }: Answer): string {
  if (status >= 200 && status < 300) return 'in'
  if (status === 303) return PAGES[headers.location ?? ''] ?? `to ${headers.location}`
  // The body lacks a proof: the door is open, and asks for one.
  if (body.code === 'malformed-request') return 'asks for a proof'
  return body.code ?? (status === 401 ? 'out' : String(status))
}

function whoIsIn(answer: Answer, userId: string): string {
  const word = outcome(answer)
  return word !== 'in' || userIn(answer) === userId ? word : 'in as another'
}

/** A page that is open to all. */
function whomItSees(answer: Answer, userId: string): string {
  const word = outcome(answer)
  if (word !== 'in') return word
  return userIn(answer) === null ? 'nobody' : whoIsIn(answer, userId)
}

function userIn({ body }: Answer): unknown {
  return Reflect.get(body, 'user')
}
