// The attack: somebody gets a process killed, or waits for it, in the middle of logins, and hopes for
// half a record: one without its authenticator, or with a used code that is good again.

import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { cli } from '../support/cli.js'
import {
  type EnrolledPerson,
  type ExampleApp,
  enrolNewPerson,
  passwordLogin,
  sharedSecrets,
  startExampleApp,
} from '../support/example-app.js'
import { moduleUrl } from '../support/modules.js'
import { PLACES, type Place } from '../support/record-places.js'
import { startRedis } from '../support/redis.js'
import { Visitor } from '../support/visitor.js'

const CHALLENGE = '/second-step/challenge'
const ROUNDS = 3
const PERSONS = 8
const LIB = moduleUrl('lib/index')
const REDIS = moduleUrl('test/support/redis-clients')
const DATABASES = moduleUrl('test/support/databases')

for (const place of PLACES) {
  describe(`A process killed in a burst of logins, with the records in ${place.name}`, function () {
    this.timeout(120_000)
    let server: Awaited<ReturnType<typeof startRedis>>
    let records: Awaited<ReturnType<Place['open']>>
    let folder: string
    before(async () => {
      server = await startRedis({ args: ['--maxmemory-policy', 'noeviction'] })
      records = await place.open(server.url)
      folder = await mkdtemp(join(tmpdir(), 'second-step-check-'))
    })
    after(async () => {
      await records?.close()
      await server?.stop()
      await rm(folder, { recursive: true, force: true })
    })

    it('leaves no half-written record: every one can be read, and its secrets opened', async () => {
      const secrets = { ...sharedSecrets(), SECOND_STEP_KEYS: randomBytes(32).toString('base64') }
      const env = { REDIS_URL: server.url, TRUST_PROXY: '1', ...records.environment, ...secrets }
      for (let round = 0; round < ROUNDS; round += 1) {
        const app = await startExampleApp(env)
        await killInABurst(app).finally(() => app.stop())
      }
      const file = join(folder, 'config.mjs')
      await writeFile(file, configFor(records.environment.DATABASE_URL, server.url, secrets))
      const { code, stdout, stderr } = await cli(['check', '--config', file])
      expect([code, stderr]).to.deep.equal([0, ''])
      const [, read = '0'] = /^Read (\d+) records: all are whole\.$/m.exec(stdout) ?? []
      expect(Number(read)).to.be.at.least(ROUNDS * PERSONS)
    })
  })
}

/** People set up, sign in and out with backup codes without a pause; in the middle the app dies. */
async function killInABurst(app: ExampleApp): Promise<void> {
  let logins = 0
  const progress = new EventEmitter()
  const half = once(progress, 'half')
  const busy = async (person: EnrolledPerson) => {
    for (const code of person.backupCodes) {
      const visitor = new Visitor(app.url, { 'x-forwarded-for': `198.51.100.${logins % 250}` })
      await passwordLogin(visitor, person)
      await visitor.postJson(CHALLENGE, { code })
      await visitor.postJson('/logout', {})
      logins += 1
      if (logins === PERSONS * 3) progress.emit('half')
    }
  }
  const persons = await Promise.all(
    Array.from({ length: PERSONS }, () => enrolNewPerson(new Visitor(app.url))),
  )
  const burst = Promise.allSettled(persons.map(busy))
  await half
  await app.kill()
  const ends = await burst
  expect(ends.map(({ status }) => status)).to.include('rejected')
}

function configFor(
  databaseUrl: string | undefined,
  redisUrl: string,
  { SECOND_STEP_KEYS }: { SECOND_STEP_KEYS: string },
): string {
  const store =
    databaseUrl === undefined
      ? `redisStore((await clientForTests('${redisUrl}')).redis)`
      : `knexStore(connectTo('${databaseUrl}'))`
  return `import { clientForTests } from '${REDIS}'
    import { knexStore, redisStore } from '${LIB}'
    import { connectTo } from '${DATABASES}'
    export default { store: ${store}, keys: ['${SECOND_STEP_KEYS}'] }`
}
