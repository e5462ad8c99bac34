// The mistake: an error that nobody awaits ends the process. Node prints it whole, a connection string with its
// password included, into the log of a CI, and nothing that a script can read.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { cli } from '../support/cli.js'
import { moduleUrl } from '../support/modules.js'

const LIB = moduleUrl('lib/index')
const SECRET = 'hunter2'
const oneLine = /^[^\n]+\n$/
const NEVER = 'await new Promise(() => {})'

/** Stores whose driver fails beside the call, or forgets it. */
const STORE = `import { memoryStore } from '${LIB}'\nconst { open: _, ...store } = memoryStore()`

const late: Record<string, string> = {
  'a throw at the next tick': `process.nextTick(() => {\nthrow new Error('${SECRET}') })\n${NEVER}`,
  'a rejection that nobody awaits': `Promise.reject(\nnew Error('${SECRET}'))\nawait new Promise((done) => setTimeout(done, 3000))\nexport default {}`,
  'a driver’s error while the command runs': `${STORE}\nconst list = () => new Promise(() => setTimeout(() => { throw new Error('${SECRET}') }))\nexport default { store: { ...store, list } }`,
}

describe('The command line, where an error comes late', function () {
  this.timeout(30_000)
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'second-step-late-'))
  })
  after(() => rm(folder, { recursive: true }))

  async function checkWith(name: string, text: string) {
    const file = join(folder, `${name.replaceAll(/\W/g, '-')}.mjs`)
    await writeFile(file, text)
    const run = await cli(['check', '--json', '--config', file])
    expect(run.code, run.stderr).to.equal(1)
    expect(run.stderr).to.match(oneLine).and.contain(file).and.not.contain(SECRET)
    expect(`${JSON.parse(run.stdout).error}\n`).to.equal(run.stderr)
    return run.stderr
  }

  for (const [name, text] of Object.entries(late)) {
    it(`tells where ${name} comes from, and not what it says`, async () => {
      expect(await checkWith(name, text)).to.match(/throws Error \(.*\.mjs:\d+:\d+\)/)
    })
  }

  it('does not repeat what is no error', async () => {
    await checkWith('text', `Promise.reject('${SECRET}')\n${NEVER}`)
    await checkWith('nothing', `process.nextTick(() => { throw null })\n${NEVER}`)
  })

  it('says that something never settles, with a documented exit code', async () => {
    expect(await checkWith('await', NEVER)).to.contain('never settles')
    const list = `${STORE}\nexport default { store: { ...store, list: () => new Promise(() => {}) } }`
    expect(await checkWith('list', list)).to.contain('never settles')
  })
})
