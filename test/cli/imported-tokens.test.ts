// What an operator imports from a file, a user holds in the hand: its codes must open their login.
import { expect } from 'chai'
import { run } from '../../lib/cli/run.js'
import { giveCode } from '../support/browser.js'
import { movedSystem } from '../support/clock.js'
import { type Host, type HostUser, makeHost } from '../support/host.js'
import { type ImportingApp, importingApp } from '../support/importing-app.js'
import { oathtool } from '../support/oathtool.js'
import { FIGURE_6, FIGURE_6_KEY } from '../support/rfc6030-figures.js'
import { pendingBrowser } from '../support/visits.js'

const SEED = '3132333435363738393031323334353637383930'
const USERS: readonly HostUser[] = ['fob', 'clock', 'short'].map((id) => ({
  ...{ id, name: id, password: `${id}-password` },
}))

describe('a hardware token that was imported', function () {
  this.timeout(60_000)
  let app: ImportingApp
  let host: Host

  before(async () => {
    app = await importingApp('async (id) => ({ id, roles: [] })')
    const { store, key } = app
    // The command has the machine's clock; that of the host stands still a little later.
    const system = movedSystem(Math.ceil(Date.now() / 60_000 + 1) * 60_000)
    host = makeHost({ users: USERS, system, options: { store, keys: [key] } })
  })
  after(() => app?.stop())

  async function imported(content: string, ...more: string[]): Promise<void> {
    const file = await app.fileOf('tokens', content)
    const { exitCode, stderr } = await run([
      'tokens',
      'import',
      file,
      '--config',
      app.config,
      ...more,
    ])
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
    const key = await app.fileOf('key', FIGURE_6_KEY.toString('base64'))
    const users = await app.fileOf('users.csv', 'serial,user\n987654321,fob\n')
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
