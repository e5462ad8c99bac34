import { Redis } from 'ioredis'
import { redisStore } from '../apps/package.js'
import type { AppProcess } from '../measure/app-process.js'
import { check, written } from '../measure/http-client.js'
import { fill } from '../measure/records.js'
import { type Spread, spreadOf } from '../measure/statistics.js'
import type { Figure } from '../report/figure.js'
import type { Bench } from './scenario.js'

const ADMIN = 'admin-1'
const PATH = '/admin/second-step/users?limit=50'
const PAGES = 40

/** A page of 50 users among very many, as JSON over HTTP. */
export async function adminPage(bench: Bench): Promise<readonly Figure[]> {
  const users = bench.quick ? 10_000 : 1_000_000
  const { accounts, redisUrl } = await bench.alone('ours', { listedUsers: users })
  const [cookie = ''] = await accounts.signedIn([ADMIN])
  const redis = new Redis(redisUrl)
  try {
    await fill(redisStore(redis), ADMIN, users, (nth) => `user-${nth}`)
    const look = new Looks(accounts.app, redis, cookie, bench.quick ? 1 : 20)
    const all = await look.at(PATH)
    const on = await look.at(`${PATH}&state=on`)
    const plain = await look.timeOf(['/inside'])
    const among = `among ${users.toLocaleString('en')}`
    return [
      ...figuresOf(`admin page of 50 ${among}, the host's users.list`, all, plain),
      ...figuresOf(`admin page of 50 ${among}, those that are on`, on, plain),
    ]
  } finally {
    redis.disconnect()
  }
}

interface Seen {
  readonly time: Spread
  readonly commands: readonly string[]
  /** Changes of keys beyond those of a GET of any page, such as the session's time to live. */
  readonly changes: number
}

class Looks {
  readonly #app: AppProcess
  readonly #redis: Redis
  readonly #cookie: string
  readonly #rounds: number

  constructor(app: AppProcess, redis: Redis, cookie: string, rounds: number) {
    this.#app = app
    this.#redis = redis
    this.#cookie = cookie
    this.#rounds = rounds
  }

  async at(path: string): Promise<Seen> {
    const paths = await this.#pages(path)
    const time = await this.timeOf(paths)
    await this.#app.ask('count-commands')
    const own = await this.#changesOf(path)
    const { commands } = await this.#app.ask('counted')
    return { time, commands, changes: own - (await this.#changesOf('/inside')) }
  }

  /** One after the other. As many rounds before them warm up. */
  async timeOf(paths: readonly string[]): Promise<Spread> {
    const took: number[] = []
    for (let round = -this.#rounds; round < this.#rounds; round += 1) {
      for (const path of paths) {
        const request = written({ path, cookie: this.#cookie })
        const began = performance.now()
        const [answer] = await this.#app.client.all([request])
        if (round >= 0) took.push(performance.now() - began)
        if (answer !== undefined) check(answer, { status: 200, body: '"user' })
      }
    }
    return spreadOf(took)
  }

  /** The first pages, each with the cursor of the one before. */
  async #pages(path: string): Promise<string[]> {
    const paths = [path]
    while (paths.length < PAGES) {
      const answer = await this.#app.client.ask({ path: paths.at(-1) ?? '', cookie: this.#cookie })
      check(answer, { status: 200, body: '"users"' })
      const { users, next } = JSON.parse(answer.body)
      if (users.length !== 50) throw new Error(`a page of ${users.length} users: ${answer.body}`)
      paths.push(`${path}&cursor=${encodeURIComponent(next)}`)
    }
    return paths
  }

  async #changesOf(path: string): Promise<number> {
    const before = await this.#changes()
    check(await this.#app.client.ask({ path, cookie: this.#cookie }), { status: 200, body: '' })
    return (await this.#changes()) - before
  }

  async #changes(): Promise<number> {
    const info = await this.#redis.info('persistence')
    return Number(/rdb_changes_since_last_save:(\d+)/.exec(info)?.[1])
  }
}

function figuresOf(what: string, { time, commands, changes }: Seen, plain: Spread): Figure[] {
  const beside = [['guarded GET of a small page', plain]] as const
  return [
    { what, unit: 'ms', value: time, goal: { atMost: 1.5 }, beside },
    {
      what: `${what}: commands beyond the session's GET and EXPIRE`,
      unit: 'count',
      value: commands.length - 2,
      goal: { atMost: 4 },
      note: shortened(commands),
    },
    { what: `${what}: keys written`, unit: 'count', value: changes, goal: { atMost: 0 } },
  ]
}

/** `get mget×50 expire` */
function shortened(commands: readonly string[]): string {
  const runs: { name: string; times: number }[] = []
  for (const name of commands) {
    const last = runs.at(-1)
    if (last?.name === name) last.times += 1
    else runs.push({ name, times: 1 })
  }
  return runs.map(({ name, times }) => (times === 1 ? name : `${name}×${times}`)).join(' ')
}
