// The mistake: an import of many tokens that was stopped, or that two operators begin at once, leaves some out or
// gives one twice.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { cli as cliCounted, UNCOUNTED } from '../support/cli.js'
import { moduleFile, moduleUrl, NODE_ARGUMENTS } from '../support/modules.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'

const IOREDIS = import.meta.resolve('ioredis')
const TOKENS = 1000
const MINUTE = 60_000
const cli = (args: readonly string[]) => cliCounted(args, UNCOUNTED)

describe('an import of many tokens', function () {
  this.timeout(MINUTE)
  let server: RedisServer
  let folder: string
  let config: string

  before(async () => {
    server = await startRedisServer({ args: ['--appendonly', 'yes'] })
    folder = await mkdtemp(join(tmpdir(), 'tokens-in-bulk-'))
    config = join(folder, 'second-step.config.mjs')
    await writeFile(
      config,
      `import { Redis } from '${IOREDIS}'
       import { redisStore } from '${moduleUrl('lib/index')}'
       const redis = new Redis(${server.port}, '127.0.0.1', { enableOfflineQueue: false })
       redis.on('error', () => undefined)
       const interrupted = new Promise((resolve) => process.once('SIGINT', resolve))
       export default {
         issuer: 'Acme', origin: 'https://acme.example', keys: ['3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs='],
         store: redisStore(redis, { persistent: true }), redis, timeout: 10_000,
         users: { findById: async (id) => {
           const nth = Number(id.split('-').at(-1))
           if (nth === Number(process.env.HELD_FROM)) process.stderr.write('has begun ')
           if (nth >= Number(process.env.HELD_FROM)) await interrupted
           return { id, roles: [] }
         } },
       }`,
    )
    expect((await cli(['init', '--redis', server.url])).code).to.equal(0)
  })
  after(async () => {
    await server?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  async function fileOf(name: string, count: number): Promise<string> {
    const file = join(folder, `${name}.csv`)
    const lines = Array.from({ length: count }, (_, index) => {
      const seed = Buffer.from(`${name}-${index}`).toString('hex').padStart(40, '0')
      return index % 2 === 0
        ? `${name}-${index},${seed},totp,6,60,sha256,${name}-user-${index}`
        : `${name}-${index},${seed},hotp,6,,sha1,${name}-user-${index}`
    })
    const header = 'serial,secret,type,digits,period,algorithm,user'
    await writeFile(file, `${header}\n${lines.join('\n')}\n`)
    return file
  }

  const argsFor = (file: string) => ['tokens', 'import', file, '--config', config, '--json']

  async function imported(file: string) {
    const { code, stdout } = await cli(argsFor(file))
    expect(code).to.equal(0)
    const { assigned, alreadyThere, failed } = JSON.parse(stdout)
    return { assigned, alreadyThere, failed }
  }

  it('assigns each, and finds them all there when it is run again', async () => {
    const file = await fileOf('bulk', TOKENS)
    for (const counts of [
      { assigned: TOKENS, alreadyThere: 0, failed: 0 },
      { assigned: 0, alreadyThere: TOKENS, failed: 0 },
    ]) {
      expect(await imported(file)).to.deep.equal(counts)
    }
  })

  it('goes on where it was killed, and gives each token once', async () => {
    const file = await fileOf('killed', 1000)
    const command = [...NODE_ARGUMENTS, moduleFile('lib/cli/main'), ...argsFor(file)]
    const redis = new Redis(server.port, '127.0.0.1')
    const before = await redis.dbsize()
    const child = spawn(process.execPath, command, {
      stdio: 'ignore',
      env: { ...process.env, ...UNCOUNTED },
    })
    const ended = once(child, 'exit')
    try {
      // Each token is several keys: the process is among its first hundreds.
      while ((await redis.dbsize()) < before + 300) await new Promise(setImmediate)
    } finally {
      child.kill('SIGKILL')
      await ended
      redis.disconnect()
    }
    const { assigned, alreadyThere, failed } = await imported(file)
    expect(failed).to.equal(0)
    expect(alreadyThere).to.be.within(10, 990)
    expect(assigned + alreadyThere).to.equal(1000)
    expect(await imported(file)).to.include({ assigned: 0, alreadyThere: 1000 })
  })

  it('gives each token once where two operators import it at the same time', async () => {
    const file = await fileOf('twice', 400)
    const both = await Promise.all([imported(file), imported(file)])
    const sum = (count: 'assigned' | 'alreadyThere' | 'failed') =>
      both.reduce((whole, one) => whole + one[count], 0)
    expect([sum('assigned'), sum('alreadyThere'), sum('failed')]).to.deep.equal([400, 400, 0])
  })

  /** From this token on, none ends before a SIGINT. */
  function begin(file: string, heldFrom: number) {
    const command = [...NODE_ARGUMENTS, moduleFile('lib/cli/main'), ...argsFor(file)]
    const child = spawn(process.execPath, command, {
      env: { ...process.env, ...UNCOUNTED, HELD_FROM: String(heldFrom) },
    })
    const printed = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed.stdout += text
    })
    const says = (words: string) =>
      new Promise<void>((resolve) => {
        child.stderr.on('data', () => {
          if (printed.stderr.includes(words)) resolve()
        })
      })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      printed.stderr += text
    })
    return { child, printed, says, closed: once(child, 'close') }
  }

  it('ends with a line at an interruption, after what has begun, and goes on when run again', async () => {
    const file = await fileOf('held', 400)
    const { child, printed, says, closed } = begin(file, 100)
    await says('has begun')
    child.kill('SIGINT')
    expect(await closed).to.deep.equal([1, null])
    const { assigned, failed, interruptedAt } = JSON.parse(printed.stdout)
    expect(failed).to.equal(0)
    expect(interruptedAt, 'the first line that is left').to.equal(assigned + 2)
    expect(assigned).to.be.within(90, 120)
    const rest = await imported(file)
    expect(rest).to.deep.equal({ assigned: 400 - assigned, alreadyThere: assigned, failed: 0 })
  })

  it('ends at once at the second signal', async () => {
    const { child, says, closed } = begin(await fileOf('held-on', 400), 100)
    await says('has begun')
    child.kill('SIGTERM')
    await says('second signal')
    child.kill('SIGTERM')
    expect(await closed).to.deep.equal([null, 'SIGTERM'])
  })
})
