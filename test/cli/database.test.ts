import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { keyRing } from '../../lib/keys/key-ring.js'
import { system } from '../../lib/ports/system.js'
import { knexStore } from '../../lib/stores/knex-store.js'
import { enrolledRecord } from '../../lib/testing/documents.js'
import { cli } from '../support/cli.js'
import { DATABASES, type TestDatabase } from '../support/databases.js'
import { moduleUrl } from '../support/modules.js'

const SUPPORT = moduleUrl('test/support/databases')
const LIB = moduleUrl('lib/index')
// By itself, as all of what a host imports takes half the time of a run.
const STORE = moduleUrl('lib/stores/knex-store')
const oneLine = /^[^\n]+\n$/

for (const kind of DATABASES) {
  describe(`passport-second-step with a config, on ${kind.name}`, function () {
    this.timeout(60_000)
    const key = randomBytes(32).toString('base64')
    let database: TestDatabase
    let folder: string
    let config: string
    before(async () => {
      database = await kind.start()
      folder = await mkdtemp(join(tmpdir(), 'second-step-config-'))
      config = join(folder, 'second-step.config.mjs')
      await writeFile(
        config,
        `import { connectTo } from '${SUPPORT}'
         import { knexStore } from '${STORE}'
         export default {
           store: knexStore(connectTo(${JSON.stringify(database.url)})),
           keys: ['${key}'],
         }`,
      )
    })
    after(async () => {
      await database?.stop()
      await rm(folder, { recursive: true, force: true })
    })

    it('names the command where nothing was migrated', async () => {
      const { code, stderr } = await cli(['check', '--config', config])
      expect(code).to.equal(1)
      expect(stderr).to.match(oneLine).and.contain('npx passport-second-step migrate')
    })

    it('migrates by three processes at once, and again', async () => {
      const runs = await Promise.all([1, 2, 3].map(() => cli(['migrate', '--config', config])))
      for (const run of runs) {
        expect([run.code, run.stderr]).to.deep.equal([0, ''])
        expect(run.stdout).to.match(oneLine)
      }
      const again = await cli(['migrate', '--config', config])
      expect(again.stdout).to.contain('up to date')
      await knexStore(database.connect()).open?.({ production: true })
    })

    it('checks that every record can be read and its secrets opened', async () => {
      const { sealer } = keyRing([key], system)
      const db = database.connect()
      const store = knexStore(db)
      for (const userId of ['ann', 'bob', 'eve']) {
        const record = enrolledRecord(userId, 1)
        const context = { purpose: 'authenticator', userId } as const
        const secret = await sealer.seal(Buffer.from('secret'), context)
        const authenticators = record.authenticators.map((one) => ({ ...one, secret }))
        await store.write({ ...record, authenticators, backupCodes: null }, 0)
      }
      const whole = await cli(['check', '--config', config])
      expect([whole.code, whole.stdout]).to.deep.equal([0, 'Read 3 records: all are whole.\n'])

      // Another user's secret does not open, and a field that was lost is no field.
      const [ann, eve] = [await store.find('ann'), await store.find('eve')]
      if (ann === null || eve === null) throw new Error('what was written is not there')
      await store.write({ ...eve, authenticators: ann.authenticators, version: 2, writeId: 'x' }, 1)
      const { ended: _, ...part } = ann
      await store.write({ ...part, version: 2, writeId: 'y' } as typeof ann, 1)
      const broken = await cli(['check', '--config', config])
      expect([broken.code, broken.stdout]).to.deep.equal([1, ''])
      expect(broken.stderr).to.contain('"ann"').and.contain('"eve"').and.not.contain('"bob"')
      expect(broken.stderr).to.contain('Read 3 records: 2 are broken.')
    })
  })
}

describe('passport-second-step with a config', () => {
  it('says what is wrong with it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'second-step-config-'))
    const write = async (name: string, text: string) => {
      await writeFile(join(folder, name), text)
      return join(folder, name)
    }
    const memory = `import { memoryStore } from '${LIB}'; export default { store: memoryStore() }`
    const cases = [
      [join(folder, 'missing.mjs'), 'cannot be loaded'],
      [await write('syntax.mjs', 'export default {'), 'cannot be loaded'],
      [await write('empty.mjs', ''), 'store'],
      [await write('memory.mjs', memory), 'no tables'],
    ] as const
    for (const [file, words] of cases) {
      const { code, stdout, stderr } = await cli(['migrate', '--config', file])
      expect([code, stdout]).to.deep.equal([1, ''])
      expect(stderr).to.contain(words)
    }
    await rm(folder, { recursive: true })
  })

  it('must be given', async () => {
    for (const command of ['migrate', 'check']) {
      const { code, stderr } = await cli([command])
      expect(code).to.equal(2)
      expect(stderr).to.contain('--config')
    }
  })
})
