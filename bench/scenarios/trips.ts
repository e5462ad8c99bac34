import type { AppName } from '../apps/index.js'
import type { Counted } from '../apps/settings.js'
import { type Accounts, userIds } from '../measure/accounts.js'
import { check, type Expected, written } from '../measure/http-client.js'
import type { Figure } from '../report/figure.js'
import type { Bench } from './scenario.js'

const APPS = [
  'plain',
  'passport-totp',
  'by hand',
  'better-auth',
  'ours',
] as const satisfies readonly AppName[]

/** The Redis commands of one request, and how many of them in sequence the response waits for. */
export async function trips(bench: Bench): Promise<readonly Figure[]> {
  const table: [AppName, Counts][] = []
  for (const accounts of await bench.all(APPS)) {
    table.push([accounts.app.name, await countsOf(accounts)])
  }
  const limited = (await loginCounts(await bench.accounts('ours, limitPassword'))).pending
  const row = (what: string, kind: keyof Counts, most?: { trips: number; commands?: number }) =>
    figuresOf(what, kind, table, most)
  return [
    ...row('guarded GET', 'get'),
    ...row('second-step POST', 'code', { trips: 5, commands: 6 }),
    ...row('second-step POST, backup code', 'backupCode', { trips: 5, commands: 6 }),
    ...row('login up to the code', 'pending'),
    // One more than a plain login.
    ...figuresOf(
      'login up to the code, with limitPassword()',
      'pending',
      [['ours', { pending: limited }]],
      { trips: 1 + (table[0]?.[1].pending?.trips ?? 0) },
    ),
    ...row('login without a second step', 'single'),
  ]
}

interface Counts {
  readonly get?: Counted
  readonly code?: Counted
  readonly backupCode?: Counted
  readonly pending?: Counted
  readonly single?: Counted
}

async function countsOf(accounts: Accounts): Promise<Counts> {
  const { app, wire } = accounts
  const [id = ''] = await user(accounts)
  const [cookie = ''] = await accounts.signedIn([id])
  const get = await counted(accounts, written({ path: '/inside', cookie }), {
    status: 200,
    body: id,
  })
  const login = await loginCounts(accounts)
  if (app.name === 'plain') return { get, ...login }
  await accounts.nextCodes()
  const [request = ''] = accounts.codeRequests([id], await accounts.pending([id]))
  const code = await counted(accounts, request, wire.accepted)
  if (app.name === 'passport-totp') return { get, ...login, code }
  const [backup = ''] = accounts.backupCodeRequests([id], await accounts.pending([id]), 0)
  return { get, ...login, code, backupCode: await counted(accounts, backup, wire.accepted) }
}

async function loginCounts(accounts: Accounts) {
  const { wire } = accounts
  const [id = ''] = await user(accounts)
  const pending = await counted(accounts, written(wire.login(id)), wire.pending)
  await accounts.register(['counted-single'])
  const alone = written(wire.login('counted-single'))
  return { pending, single: await counted(accounts, alone, wire.signedIn) }
}

/** A user who was asked for a code once already, so that no first time is counted. */
async function user(accounts: Accounts): Promise<string[]> {
  const ids = userIds('counted', 1)
  await accounts.signedIn(ids)
  return ids
}

async function counted({ app }: Accounts, request: string, expected: Expected): Promise<Counted> {
  await app.ask('count-commands')
  const [answer] = await app.client.all([request])
  const seen = await app.ask('counted')
  if (answer !== undefined) check(answer, expected)
  return seen
}

function figuresOf(
  what: string,
  kind: keyof Counts,
  table: readonly (readonly [AppName, Counts])[],
  most?: { readonly trips: number; readonly commands?: number },
): Figure[] {
  const of = (pick: (counted: Counted) => number) =>
    table.flatMap(([name, counts]) => {
      const seen = counts[kind]
      return seen === undefined ? [] : [[name, pick(seen)] as const]
    })
  const figure = (unit: string, most: number | undefined, pick: (seen: Counted) => number) => {
    const all = of(pick)
    return {
      what: `${what}: ${unit}`,
      unit: 'count' as const,
      value: all.find(([name]) => name === 'ours')?.[1] ?? null,
      ...(most === undefined ? {} : { goal: { atMost: most } }),
      beside: all.filter(([name]) => name !== 'ours'),
    }
  }
  const names = table.find(([name]) => name === 'ours')?.[1][kind]?.commands.join(' ') ?? ''
  return [
    figure('trips in sequence', most?.trips, (seen) => seen.trips),
    { ...figure('commands', most?.commands, (seen) => seen.commands.length), note: names },
  ]
}
