// The mistake: a driver throws what is no error. The command line tells it in one line, and in JSON, instead
// of ending in a stack trace that a script can't read.

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { run } from '../../lib/cli/run.js'
import { moduleUrl } from '../support/modules.js'

const LIB = moduleUrl('lib/index')
const KEY = randomBytes(32).toString('base64')

const odd: Record<string, string> = {
  'an object without a prototype': 'Object.create(null)',
  'an error whose message is no text': "Object.assign(new Error('x'), { message: { deep: 1 } })",
  'an error whose message can’t be read':
    "Object.defineProperty(new Error('x'), 'message', { get() { throw new Error('y') } })",
  'an object whose text can’t be made': '({ toString() { throw new Error("y") } })',
}

describe('The command line, where a store throws', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'second-step-thrown-'))
  })
  after(() => rm(folder, { recursive: true }))

  async function configThrowing(thrown: string): Promise<string> {
    const file = join(folder, `${randomBytes(6).toString('hex')}.mjs`)
    await writeFile(
      file,
      `import { memoryStore } from '${LIB}'
       const fail = () => Promise.reject(${thrown})
       const { open: _, ...store } = memoryStore()
       export default {
         issuer: 'Acme', origin: 'https://acme.example', keys: ['${KEY}'],
         store: { ...store, find: fail, list: fail },
       }`,
    )
    return file
  }

  for (const [what, thrown] of Object.entries(odd)) {
    it(`tells of ${what}`, async () => {
      const config = await configThrowing(thrown)
      for (const args of [['status', '--user', 'ann'], ['check'], ['reseal']]) {
        const { exitCode, stdout, stderr } = await run([...args, '--json', '--config', config])
        expect(exitCode, args[0]).to.equal(1)
        expect(JSON.parse(stdout).error, args[0]).to.contain('an error without a message')
        expect(stderr.split('\n')).to.have.length(2)
      }
    })
  }
})
