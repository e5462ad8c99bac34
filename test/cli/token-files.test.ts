import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { UsageError } from '../../lib/cli/arguments.js'
import { eachAtOnce } from '../../lib/cli/at-once.js'
import { bytesOf, countIn, keyOf, UsersBySerial } from '../../lib/cli/token-files.js'
import { FIGURE_10 } from '../support/rfc6030-figures.js'

const KEY = '12345678901234567890123456789012'

describe('the files that tokens are imported from', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'token-files-'))
  })
  after(() => rm(folder, { recursive: true }))

  async function fileOf(content: string | Uint8Array): Promise<string> {
    const file = join(folder, 'file')
    await writeFile(file, content)
    return file
  }

  /** What is said of a call that is refused. */
  async function refusal(call: Promise<unknown>): Promise<string> {
    const error = await call.then(
      () => null,
      (thrown: unknown) => thrown,
    )
    expect(error).to.be.instanceOf(UsageError)
    return String(Reflect.get(Object(error), 'message'))
  }

  it('are counted, for the progress', async () => {
    expect(await countIn(await fileOf('a,b\n'.repeat(30_000)))).to.equal(30_000)
    expect(await countIn(await fileOf(FIGURE_10))).to.equal(4)
    expect(await countIn(await fileOf(FIGURE_10.repeat(5000)))).to.equal(20_000)
    expect(await countIn('/dev/null')).to.equal(null)
  })

  it('are counted without what is no token: a header, comments and blank lines', async () => {
    const rows = 'A,00,totp\n'.repeat(3)
    expect(await countIn(await fileOf(`# made today\nserial,secret,type\n\n${rows}`))).to.equal(3)
    expect(await countIn(await fileOf(`${rows}B,00,totp`))).to.equal(4)
  })

  it('are named where they cannot be read', async () => {
    const missing = join(folder, 'missing.csv')
    const text = `The file ${missing} cannot be read (ENOENT).`
    expect(await refusal(keyOf(missing))).to.equal(text)
    expect(await refusal(UsersBySerial.read(missing))).to.equal(text)
    expect(await refusal(bytesOf(missing).next())).to.equal(text)
    expect(await refusal(bytesOf(folder).next())).to.contain('EISDIR')
  })

  it('have a key in hex or base64', async () => {
    const key = Buffer.from(KEY, 'hex')
    for (const text of [KEY, `${KEY}\n`, `\ufeff${KEY}\r\n`, key.toString('base64')]) {
      expect(await keyOf(await fileOf(Buffer.from(text)))).to.deep.equal(key)
    }
    const long = Buffer.alloc(32, 5)
    expect(await keyOf(await fileOf(long.toString('base64')))).to.deep.equal(long)
    expect(await keyOf(undefined)).to.equal(null)
  })

  it('are refused as a key of another length, and never shown', async () => {
    for (const text of [
      '',
      'secret',
      KEY.slice(2),
      `${KEY}00`,
      Buffer.alloc(24, 200).toString('base64'),
    ]) {
      const said = await refusal(keyOf(await fileOf(text)))
      expect(said).to.contain('holds no key')
      if (text !== '') expect(said).not.to.contain(text)
    }
  })

  it('have users by serial number, in any case of letters', async () => {
    const users = await UsersBySerial.read(await fileOf('serial,user\nab-1,ann\nAB-2,"o,k"\n'))
    expect([users.take('AB-1'), users.take('ab-2'), users.take('ab-3')]).to.deep.equal([
      ...['ann', 'o,k', null],
    ])
    expect(users.left).to.equal(0)
    expect((await UsersBySerial.read(await fileOf('A;ann\nB;bob\n'))).left).to.equal(2)
  })

  it('are refused with a serial number of two users, or a line of three cells', async () => {
    for (const [content, line] of [
      ['A,ann\na,bob\n', 2],
      ['A,ann\nB,bob,x\n', 2],
      ['A\n', 1],
      ['A,\n', 1],
    ] as const) {
      expect(await refusal(UsersBySerial.read(await fileOf(content)))).to.contain(`line ${line}: `)
    }
  })
})

describe('work for many items', () => {
  async function* numbers(count: number, read: number[] = []): AsyncGenerator<number> {
    for (let number = 1; number <= count; number += 1) {
      read.push(number)
      yield number
    }
  }

  it('is done for all, so many at once and no more', async () => {
    const done: number[] = []
    let [atWork, most] = [0, 0]
    await eachAtOnce(numbers(50), 4, async (number) => {
      atWork += 1
      most = Math.max(most, atWork)
      await new Promise(setImmediate)
      atWork -= 1
      done.push(number)
      return true
    })
    expect(done).to.have.length(50)
    expect(most).to.equal(4)
  })

  it('ends with the first no, and reads no further', async () => {
    const read: number[] = []
    await eachAtOnce(numbers(1000, read), 4, async (number) => number < 10)
    expect(read.length).to.be.below(20)
  })

  it('ends with the first error, after what had begun', async () => {
    let ended = 0
    const work = eachAtOnce(numbers(1000), 4, async (number) => {
      if (number === 3) throw new Error('broken')
      await new Promise(setImmediate)
      ended += 1
      return true
    })
    expect(await work.catch((error: Error) => error.message)).to.equal('broken')
    expect(ended).to.be.within(2, 8)
  })
})
