// The mistake: two apps with realms of their own share a store, each with its own keys. `check` of one calls the
// records of the other broken, and ends with 1: whoever watches over the exit code learns to pass it over.

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { run } from '../../lib/cli/run.js'
import { moduleUrl } from '../support/modules.js'

const newKey = () => randomBytes(32).toString('base64')
const KEYS = [newKey()]

describe('records of another realm, on the command line', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'second-step-realms-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  /** One record of the shop under its key, and one of the staff under another. */
  async function configWith(options: object): Promise<string> {
    const file = join(folder, `${randomBytes(6).toString('hex')}.mjs`)
    await writeFile(
      file,
      `import { memoryAuditLog, memoryStore } from '${moduleUrl('lib/index')}'
       import { enrolledRecord } from '${moduleUrl('lib/testing/documents')}'
       import { keyRing } from '${moduleUrl('lib/keys/key-ring')}'
       import { system } from '${moduleUrl('lib/ports/system')}'
       const keys = ${JSON.stringify(KEYS)}
       const store = { ...memoryStore(), open: undefined }
       for (const [userId, key] of [['shop:bob', keys[0]], ['staff:ann', '${newKey()}']]) {
         const { authenticators, ...record } = enrolledRecord(userId, 1)
         const { sealer } = keyRing([key], system)
         const secret = await sealer.seal(Buffer.from('a secret'), { purpose: 'authenticator', userId })
         const sealed = authenticators.map((one) => ({ ...one, secret }))
         await store.write({ ...record, setup: null, authenticators: sealed }, 0)
       }
       export default {
         issuer: 'Shop', origin: 'https://shop.example', keys, store, audit: memoryAuditLog(),
         ...${JSON.stringify(options)}
       }`,
    )
    return file
  }

  it('are passed over by check, which says so', async () => {
    const config = await configWith({ realm: 'shop' })
    const { exitCode, stdout, stderr } = await run(['check', '--config', config])
    expect([exitCode, stderr]).to.deep.equal([0, ''])
    expect(stdout).to.contain('Read 1 records: all are whole.')
    expect(stdout).to.contain('Passed over 1 of another realm')
    const json = await run(['check', '--config', config, '--json'])
    expect(JSON.parse(json.stdout)).to.include({ read: 1, otherRealms: 1 })
  })

  it('are passed over by reseal', async () => {
    const config = await configWith({ realm: 'shop' })
    const { exitCode, stdout } = await run(['reseal', '--config', config])
    expect(exitCode).to.equal(0)
    expect(stdout).to.contain('0 could not be').and.contain('Passed over 1 of another realm')
  })

  it('let nobody remove a key whose realm the config leaves out', async () => {
    const older = newKey()
    const config = await configWith({ keys: [...KEYS, older] })
    const { stdout } = await run(['check', '--config', config])
    expect(stdout).to.contain('Passed over 2 of another realm').and.contain('`realm`')
    expect(stdout).to.contain('not all is known').and.not.contain('may leave the ring')
  })
})
