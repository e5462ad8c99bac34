import { DOOR_NAMES } from './doors.js'
import type { Cell } from './measure.js'
import { ROLE_NAMES, ROLES, type Role } from './place.js'
import { WAYS } from './ways.js'

const HEAD = `# Ways in

What lets somebody in: for each state of a user's second step, each way in, and each rule that the policy may have for
the user's role (the columns). [ways-in.test.ts](ways-in.test.ts) measures it over HTTP and compares it with this file;
[CONTRIBUTING.md](../../CONTRIBUTING.md) says how to write it anew. A changed cell is a changed promise: the commit says
why it is right.

- \`out\`: not signed in. \`code\`: a pending login that waits for the code. \`set-up\`: one that leads to the set-up.
- \`in\`: signed in. \`fresh\`: also at a route of \`requireFresh()\`. \`key\`: also at
  a route that accepts security keys alone. \`admin\`: also in the admin router.
- \`·\`: not tried; the rule of the role plays no part in it. \`–\`: this user has no such way.

A required second step has been required for 100 days, with 7 days of grace. Admins have none.
`

const DOORS_HEAD = `## What each standing opens

Every kind of route, asked once for each standing in each state. Rows that are equal are one row.
`

type Row = readonly string[]

/** The file that people read. */
export function tablesOf(cells: readonly Cell[]): string {
  const states = [...new Set(cells.map(({ state }) => state.name))]
  const sections = states.map((name) => {
    const rows = rowsOf(cells.filter(({ state }) => state.name === name))
    return `## ${name.charAt(0).toUpperCase()}${name.slice(1)}\n\n${written(rows)}`
  })
  return [HEAD, ...sections, DOORS_HEAD, written(doorRowsOf(cells, states))].join('\n')
}

function rowsOf(cells: readonly Cell[]): readonly Row[] {
  const tried = WAYS.filter((way) => cells.some((cell) => cell.way === way))
  const standings = (way: Cell['way']) =>
    ROLE_NAMES.map(
      (role) => cells.find((cell) => cell.way === way && cell.role === role)?.standing ?? '·',
    )
  return [['way in', ...ROLE_NAMES], ...tried.map((way) => [way.name, ...standings(way)])]
}

/** The states come last: their list may be long. */
function doorRowsOf(cells: readonly Cell[], states: readonly string[]): readonly Row[] {
  const seen = new Map<
    string,
    { readonly row: Row; readonly in: Set<string>; readonly who: Set<string> }
  >()
  for (const { state, way, role, standing, outcomes } of inOrder(cells)) {
    if (outcomes === null) continue
    const by = way.byToken === true ? `${standing}, by token` : standing
    const row = [by, ...DOOR_NAMES.map((door) => outcomes[door])]
    const same = seen.get(row.join()) ?? { row, in: new Set(), who: new Set() }
    seen.set(row.join(), same)
    same.in.add(state.name)
    same.who.add(standing.startsWith('in') ? kindOf(role) : 'anybody')
  }
  const rows = [...seen.values()].map(({ row: [standing = '', ...outcomes], ...of }) => [
    standing,
    [...of.who].sort().join(' or '),
    ...outcomes,
    namesOf(states, of.in),
  ])
  return [['standing', 'who', ...DOOR_NAMES, 'in the states'], ...rows.sort(byFirst)]
}

function kindOf(role: Role): string {
  return ROLES[role].isAdmin ? 'admin' : 'user'
}

/** What was measured at once comes in any order. */
function inOrder(cells: readonly Cell[]): readonly Cell[] {
  const place = ({ way, role }: Cell) =>
    WAYS.indexOf(way) * ROLE_NAMES.length + ROLE_NAMES.indexOf(role)
  return [...cells].sort((one, other) => place(one) - place(other))
}

function namesOf(states: readonly string[], seen: ReadonlySet<string>): string {
  const [there, missing] = [true, false].map((is) => states.filter((name) => seen.has(name) === is))
  if (missing?.length === 0) return 'all'
  if (missing !== undefined && missing.length < seen.size) return `all but: ${missing.join('; ')}`
  return there?.join('; ') ?? ''
}

function byFirst(one: Row, other: Row): number {
  return one.join() < other.join() ? -1 : 1
}

/** As a table in Markdown whose columns are lined up. */
function written([head = [], ...rows]: readonly Row[]): string {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length)),
  )
  const line = (row: Row) =>
    `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |\n`
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |\n`
  return [line(head), rule, ...rows.map(line)].join('')
}
