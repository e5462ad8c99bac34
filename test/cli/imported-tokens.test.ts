// What an operator imports from a file, a user holds in the hand: its codes must open their login.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { run } from '../../lib/cli/run.js'
import { knexStore } from '../../lib/stores/knex-store.js'
import { giveCode } from '../support/browser.js'
import { movedSystem } from '../support/clock.js'
import { SQLITE, type TestDatabase } from '../support/databases.js'
import { type Host, type HostUser, makeHost } from '../support/host.js'
import { moduleUrl } from '../support/modules.js'
import { oathtool } from '../support/oathtool.js'
import { FIGURE_6, FIGURE_6_KEY } from '../support/rfc6030-figures.js'
import { pendingBrowser } from '../support/visits.js'

const KEY = '3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs='
const SEED = '3132333435363738393031323334353637383930'
const USERS: readonly HostUser[] = ['fob', 'clock', 'short'].map((id) => ({
  ...{ id, name: id, password: `${id}-password` },
}))

describe('a hardware token that was imported', function () {
  this.timeout(60_000)
  let folder: string
  let database: TestDatabase
  let config: string
  let host: Host

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'imported-tokens-'))
    database = await SQLITE.start()
    const store = knexStore(database.connect())
    await store.migrate()
    config = await fileOf(
      'second-step.config.mjs',
      `import { connectTo } from '${moduleUrl('test/support/databases')}'
       import { knexStore } from '${moduleUrl('lib/stores/knex-store')}'
       export const db = connectTo(${JSON.stringify(database.url)})
       export default {
         issuer: 'Acme', origin: 'https://acme.example', keys: ['${KEY}'], store: knexStore(db),
         users: { findById: async (id) => ({ id, roles: [] }) },
       }`,
    )
    // The command has the machine's clock; that of the host stands still a little later.
    const system = movedSystem(Math.ceil(Date.now() / 60_000 + 1) * 60_000)
    host = makeHost({ users: USERS, system, options: { store, keys: [KEY] } })
  })
  after(async () => {
    await (await import(pathToFileURL(config).href)).db.destroy()
    await database.stop()
    await rm(folder, { recursive: true })
  })

  async function fileOf(name: string, content: string): Promise<string> {
    const file = join(folder, name)
    await writeFile(file, content)
    return file
  }

  async function imported(content: string, ...more: string[]): Promise<void> {
    const file = await fileOf('tokens', content)
    const { exitCode, stderr } = await run(['tokens', 'import', file, '--config', config, ...more])
    expect([exitCode, stderr]).to.deep.equal([0, ''])
  }

  /** The answer to a code of this user, at a login of its own. */
  async function answerTo(id: string, code: string) {
    const user = USERS.find((one) => one.id === id)
    return giveCode(await pendingBrowser(host, user), code)
  }

  const timeCode = (seed: string, ...shape: string[]) =>
    oathtool(
      ...shape,
      `--now=${new Date(host.system.now()).toISOString().replace('T', ' ').replace(/\..*/, ' UTC')}`,
      seed,
    )

  it('signs in with a HOTP fob of RFC 6030, figure 6, which was encrypted', async () => {
    const key = await fileOf('key', FIGURE_6_KEY.toString('base64'))
    const users = await fileOf('users.csv', 'serial,user\n987654321,fob\n')
    await imported(FIGURE_6, '--key-file', key, '--users', users)
    const code = await oathtool('--hotp', '--digits=8', '--counter=0', SEED)
    expect((await answerTo('fob', code)).body).to.include({ status: 'signed-in', method: 'hotp' })
    expect((await answerTo('fob', code)).body).to.include({ code: 'wrong-code' })
  })

  it('signs in with a fob of 60 seconds, 8 digits and SHA-256', async () => {
    const seed = SEED.padEnd(64, '5')
    await imported(
      `user,serial,secret,type,digits,period,hash\nclock,T-60,${seed},totp,8,60,SHA-256\n`,
    )
    const code = await timeCode(seed, '--totp=sha256', '--digits=8', '--time-step-size=60s')
    expect((await answerTo('clock', code)).body).to.include({ status: 'signed-in', method: 'totp' })
    expect((await answerTo('clock', code)).body).to.include({ code: 'wrong-code' })
  })

  it('signs in with the shortest seed that is not refused', async () => {
    const seed = SEED.slice(0, 28)
    await imported(`user,serial,secret,type\nshort,T-112,${seed},totp\n`)
    const { body } = await answerTo('short', await timeCode(seed, '--totp'))
    expect(body).to.include({ status: 'signed-in', method: 'totp' })
  })
})
