import { userIds } from '../measure/accounts.js'
import { measure } from '../measure/rounds.js'
import type { Figure } from '../report/figure.js'
import { poster } from './post.js'
import type { Bench } from './scenario.js'

/** What the app's heap holds after very many codes that it did not hold after few. */
export async function heap(bench: Bench): Promise<readonly Figure[]> {
  const ids = userIds('poster', 100)
  const posts = bench.quick ? 400 : 50_000
  const { accounts } = await bench.alone('ours')
  const contestant = await poster(accounts, ids)
  const after = async (count: number) => {
    await measure([contestant], {
      rounds: count / ids.length,
      warmUp: 0,
      longest: Number.POSITIVE_INFINITY,
    })
    return (await accounts.app.ask('heap')) / 2 ** 20
  }
  const few = await after(posts / 10)
  const many = await after((posts / 10) * 9)
  return [
    {
      what: `heap of the app after ${posts.toLocaleString('en')} second-step POSTs`,
      unit: 'MiB',
      value: many,
      goal: { atMost: few + 1 },
      beside: [[`after the first ${(posts / 10).toLocaleString('en')}`, few]],
    },
  ]
}
