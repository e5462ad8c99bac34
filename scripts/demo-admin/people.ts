import type { User } from '../../example-app/users.js'
import { DAY_MS } from '../../lib/domain/units.js'
import type { Random } from '../fleet/random.js'

export const ROLES = ['sales', 'engineering', 'finance', 'support', 'admin'] as const

/** The role whose rule requires a second step; that of admins does too. */
export const BOUND_ROLE = 'finance'

/** Days that somebody of that role has to set it up. */
export const GRACE_DAYS = 14

/** Where somebody stands with the second step. */
export type Standing =
  | 'on'
  | 'few-codes'
  | 'unsaved-codes'
  | 'paused'
  | 'paused-for-ever'
  | 'locked'
  | 'reset'
  | 'never'

export interface DemoPerson {
  readonly user: User & { readonly createdAt: number }
  readonly standing: Standing
}

/** Who signs in to look at the pages. */
export const ADMIN = personOf('demo-admin', 'Adam Admin', 'admin@example.test', 'admin')
export const HELP_DESK = personOf('demo-support', 'Hilda Helpdesk', 'help@example.test', 'support')

const FIRST_NAMES =
  'Ada Amir Anna Bruno Carla Chen Chiara Daniel Daria Diego Elena Emil Fatima Franco Giulia Grace Hugo Ines Irina Ivan Jamal Jana João Jonas Karin Kofi Lara Lucía Luca Maja Marco María Mei Miguel Nadia Nils Noor Olga Omar Paolo Petra Pilar Priya Rosa Sami Sofia Tomás Vera Viktor Zoë'.split(
    ' ',
  )
const LAST_NAMES =
  'Almeida Andersen Bauer Bianchi Brown Costa Dubois Ferrari Fischer Fontana García Gruber Haddad Hansen Horvat Ivanova Jansen Johnson Keller Kim Kovács Kowalska Lee Lindgren López Mancini Martin Mensah Moretti Müller Nakamura Nguyen Novák O’Brien Okafor Orlova Patel Pérez Petrov Quinn Ricci Romano Rossi Santos Schmidt Silva Smith Sokolova Tanaka Weber'.split(
    ' ',
  )

const STANDINGS: readonly (readonly [Standing, number])[] = [
  ['on', 0.56],
  ['few-codes', 0.05],
  ['unsaved-codes', 0.06],
  ['paused', 0.012],
  ['paused-for-ever', 0.002],
  ['locked', 0.004],
  ['reset', 0.006],
]

/** People of a company, the two who sign in among them. The same seed makes the same. */
export function makePeople(count: number, random: Random, now: number): readonly DemoPerson[] {
  const staff = [ADMIN, HELP_DESK].map((person): DemoPerson => {
    const user = { ...person, createdAt: now - 400 * DAY_MS }
    return { user, standing: 'on' }
  })
  const others = Array.from({ length: count - staff.length }, (_, nth) =>
    makePerson(nth + 1, random, now),
  )
  return [...staff, ...others]
}

function makePerson(nth: number, random: Random, now: number): DemoPerson {
  const [first, last] = [random.pick(FIRST_NAMES), random.pick(LAST_NAMES)]
  const role = roleOf(random.next())
  const days = random.happens(0.06) ? random.below(20) : random.between(20, 1500)
  const standing = standingOf(random.next())
  const user = personOf(
    `u-${String(nth).padStart(5, '0')}`,
    `${first} ${last}`,
    `${plain(first)}.${plain(last)}.${nth}@example.test`,
    role,
  )
  // Admins have no days of grace.
  const isNever = standing === 'never' && role !== 'admin'
  return {
    user: { ...user, createdAt: now - days * DAY_MS },
    standing: standing === 'never' && !isNever ? 'on' : standing,
  }
}

function personOf(id: string, name: string, email: string, role: string): User {
  return { id, name, email, roles: [role] }
}

function roleOf(drawn: number): (typeof ROLES)[number] {
  if (drawn < 0.0008) return 'admin'
  if (drawn < 0.004) return 'support'
  if (drawn < 0.1) return 'finance'
  return drawn < 0.45 ? 'engineering' : 'sales'
}

function standingOf(drawn: number): Standing {
  let upTo = 0
  for (const [standing, share] of STANDINGS) {
    upTo += share
    if (drawn < upTo) return standing
  }
  return 'never'
}

function plain(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/[^A-Za-z]/g, '')
    .toLowerCase()
}
