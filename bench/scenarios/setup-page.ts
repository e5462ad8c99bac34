import { type Accounts, userIds } from '../measure/accounts.js'
import { check, cookieOf, written } from '../measure/http-client.js'
import { type Contestant, cpuRatio, measure } from '../measure/rounds.js'
import type { Figure } from '../report/figure.js'
import { type Bench, roundsOf } from './scenario.js'

/** The page with the QR code, beside a page of the plain app that only draws one. */
export async function setupPage(bench: Bench): Promise<readonly Figure[]> {
  const ids = userIds('newcomer', 20)
  const contestants = [
    await reader(bench, await bench.accounts('plain'), '/setup', ids),
    await reader(bench, await bench.accounts('control'), '/setup', ids),
    await reader(bench, await bench.accounts('ours'), '/second-step/setup', ids),
  ]
  const samples = await measure(contestants, roundsOf(bench))
  return [
    {
      what: 'set-up page with QR code: CPU ÷ a plain page with `qrcode`',
      unit: 'ratio',
      value: cpuRatio(samples, 'ours', 'plain'),
      goal: { atMost: 1.15 },
      beside: [['control', cpuRatio(samples, 'control', 'plain')]],
    },
  ]
}

async function reader(
  bench: Bench,
  { app, wire }: Accounts,
  path: string,
  ids: readonly string[],
): Promise<Contestant> {
  const cookies = await signedIn()
  const requests = cookies.map((cookie) => written({ path, cookie, accept: 'text/html' }))
  return {
    name: app.name,
    app,
    expected: { status: 200, body: '<svg' },
    prepare: async () => requests,
    times: bench.quick ? 20 : 60,
  }

  /** Of users who have no second step yet. */
  async function signedIn(): Promise<string[]> {
    const answers = await app.client.all(ids.map((id) => written(wire.login(id))))
    return answers.map((answer) => {
      check(answer, wire.signedIn)
      return cookieOf(answer)
    })
  }
}
