import { expect } from 'chai'
import { run } from '../../lib/cli/run.js'
import { type ImportingApp, importingApp } from '../support/importing-app.js'
import { FIGURE_6, FIGURE_6_KEY } from '../support/rfc6030-figures.js'

const [HEX, OTHER_HEX] = ['3132333435363738393031323334353637383930', 'ab'.repeat(20)]
const SEEDS = [HEX, OTHER_HEX, 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', '12345678901234567890']

describe('passport-second-step tokens import', function () {
  this.timeout(60_000)
  let app: ImportingApp

  /** A new app with the users ann, bob and eve, and no tokens. */
  beforeEach(async () => {
    app = await importingApp(`async (id) => {
      if (id.startsWith('broken')) throw new Error('the directory is down')
      return ['ann', 'bob', 'eve'].includes(id) ? { id, email: id + '@acme.example', roles: [] } : undefined
    }`)
  })
  afterEach(() => app?.stop())

  /** Imports a file with this content. Whatever happens, no seed is printed. */
  async function imported(content: string, ...more: string[]) {
    const file = await app.fileOf('tokens', content)
    const args = ['tokens', 'import', file, '--config', app.config, ...more]
    const plain = await run([...args, '--dry-run'])
    const ended = await run([...args, '--json'])
    const all = JSON.stringify([plain, ended]).toLowerCase()
    for (const seed of SEEDS) expect(all).not.to.contain(seed.toLowerCase())
    return { exit: ended.exitCode, text: plain.stderr + plain.stdout, ...JSON.parse(ended.stdout) }
  }

  async function serialsOf(user: string): Promise<readonly (string | null)[]> {
    const record = await app.store.find(user)
    return record?.authenticators.map(({ serial }) => serial) ?? []
  }

  it('assigns each token to its user, and is safe to run again', async () => {
    const file = `serial,secret,type,digits,period,algorithm,user
T-1,${HEX},totp,8,60,sha256,ann
H-1,${OTHER_HEX},hotp,6,,,bob
`
    const first = await imported(file)
    expect(first).to.include({ exit: 0, assigned: 2, alreadyThere: 0, failed: 0 })
    expect(first.text).to.equal('Would assign 2, there already 0, failed 0.\n')
    const record = await app.store.find('ann')
    expect(record?.authenticators).to.have.length(1)
    expect(record?.authenticators[0]).to.include({
      ...{ type: 'totp', serial: 'T-1', digits: 8, period: 60, algorithm: 'sha256' },
      lastUsedAt: null,
    })
    expect(await serialsOf('bob')).to.deep.equal(['H-1'])
    const again = await imported(file)
    expect(again).to.include({ exit: 0, assigned: 0, alreadyThere: 2, failed: 0 })
    expect(again.text).to.equal('Would assign 0, there already 2, failed 0.\n')
    expect((await app.store.find('ann'))?.version).to.equal(record?.version)
  })

  it('does not bind a token again that was removed, unless it is told to', async () => {
    const file = `serial,secret,type,user\nT-1,${HEX},hotp,ann\n`
    await imported(file)
    await run(['reset', '--user', 'ann', '--yes', '--config', app.config, '--reason', 'lost'])
    expect(await serialsOf('ann')).to.deep.equal([])
    const second = await imported(file)
    expect(second).to.include({ exit: 1, assigned: 0, failed: 1 })
    expect(second.text).to.match(
      /^Line 2: the token was removed: give --again to assign it again\./,
    )
    expect(await serialsOf('ann')).to.deep.equal([])
    const renumbered = await imported(file.replace('T-1', 'T-7'))
    expect(renumbered.text).to.match(/^Line 2: the token was removed/)
    expect(await imported(file, '--again')).to.include({ exit: 0, assigned: 1 })
    expect(await imported(file)).to.include({ exit: 0, alreadyThere: 1 })
  })

  it('changes nothing with --dry-run', async () => {
    const file = await app.fileOf('tokens', `serial,secret,type,user\nT-1,${HEX},totp,ann\n`)
    const { exitCode, stdout } = await run([
      ...['tokens', 'import', file, '--config', app.config, '--dry-run', '--json'],
    ])
    expect(exitCode).to.equal(0)
    expect(JSON.parse(stdout)).to.include({ dryRun: true, assigned: 1 })
    expect(await app.store.find('ann')).to.equal(null)
    expect(await app.store.findSerial?.('T-1')).to.equal(null)
  })

  it('tells what failed by its line, also beforehand, and imports the rest', async () => {
    const { exit, text, assigned, failed, faults } = await imported(`serial,secret,type,digits,user
T-1,${HEX},totp,5,ann
T-2,${HEX},totp,6,nobody
T-3,${HEX},totp,6,
T-4,${HEX},totp,6,ann
T-5,${HEX.slice(0, 20)},totp,6,ann
T-4,${OTHER_HEX},totp,6,eve
T-6,${HEX},totp,6,brokenhearted
`)
    expect({ exit, assigned, failed }).to.deep.equal({ exit: 1, assigned: 1, failed: 6 })
    const reasons = [
      'Line 2: the number of digits must be 6 or 8.',
      'Line 3: there is no user with this id.',
      'Line 4: the token has no user: give --users FILE.',
      'Line 6: the seed is too short: it must have at least 112 bits.',
      'Line 7: the file has this serial number already.',
    ]
    const lines = text.split('\n')
    expect(lines.slice(0, 5)).to.deep.equal(reasons)
    expect(lines[5]).to.match(/^Line 8: /)
    expect(lines[6]).to.equal('Would assign 1, there already 0, failed 6.')
    expect(faults).to.have.length(6)
    expect(await serialsOf('ann')).to.deep.equal(['T-4'])
  })

  it('tells beforehand of two tokens of a file with one seed', async () => {
    const header = 'serial,secret,type,user\n'
    const done = await imported(`${header}T-1,${HEX},totp,ann\nT-2,${HEX},totp,bob\n`)
    expect(done).to.include({ exit: 1, assigned: 1, failed: 1 })
    expect(done.text).to.match(/^Line [23]: .* seed already\.\n/)
    expect(done.text).to.contain('Would assign 1, there already 0, failed 1.')
  })

  it('tells of a serial number that is in use, and takes nothing from its user', async () => {
    const header = 'serial,secret,type,user\n'
    await imported(`${header}T-1,${HEX},totp,ann\n`)
    for (const line of [
      `T-1,${HEX},totp,bob`,
      `t-1,${OTHER_HEX},totp,bob`,
      `T-1,${OTHER_HEX},totp,ann`,
    ]) {
      const { exit, assigned, text } = await imported(`${header}${line}\n`)
      expect({ exit, assigned }).to.deep.equal({ exit: 1, assigned: 0 })
      expect(text).to.match(/^Line 2: the serial number is in use/)
    }
    expect(await serialsOf('bob')).to.deep.equal([])
    const events = await run(['events', '--user', 'bob', '--config', app.config, '--json'])
    const [refused, ...others] = JSON.parse(events.stdout).events
    expect(refused).to.deep.include({
      ...{ type: 'change-refused', detail: { action: 'token', code: 'serial-in-use' } },
    })
    // One for each import: a dry run leaves nothing.
    expect(others).to.have.length(1)
  })

  it('warns of weak seeds, of columns that nobody knows and of signatures', async () => {
    const file = `serial,secret,type,user,digts\nT-1,${HEX.slice(0, 32)},totp,ann,8\n`
    const { exit, text, weak, weakLine } = await imported(file)
    expect({ exit, weak, weakLine }).to.deep.equal({ exit: 0, weak: 1, weakLine: 2 })
    expect(text).to.contain('Line 1: a column has an unknown name, and was not read.')
    expect(text).to.contain('Weak seeds, of less than 160 bits: 1, the first on line 2.')
  })

  // The mistake: nobody is told that a second fob leaves so few tries that typing errors lock the user out.
  it('warns where few wrong codes a day are left, also beforehand', async () => {
    const fob = (nth: number, user: string) => `H-${nth},${`${nth}`.repeat(40)},hotp,${user}\n`
    const header = 'serial,secret,type,user\n'
    const plenty = await imported(`${header}${fob(1, 'ann')}${fob(2, 'bob')}`)
    expect(plenty).to.include({ exit: 0, fewTries: 0, fewTriesLine: null })
    expect(plenty.text).not.to.contain('wrong codes')
    const few = await imported(`${header}${fob(3, 'eve')}${fob(4, 'bob')}${fob(5, 'ann')}`)
    expect(few).to.include({ exit: 0, assigned: 3, fewTries: 2, fewTriesLine: 3 })
    const said =
      'Tokens whose users would have fewer than 3 wrong codes a day before a lock: 2, the first on line 3.'
    expect(few.text).to.contain(said)
    const again = await imported(`${header}${fob(5, 'ann')}`)
    expect(again).to.include({ exit: 0, alreadyThere: 1, fewTries: 0 })
  })

  it('takes users from a file of their own, and tells what did not fit', async () => {
    const users = await app.fileOf('users.csv', 'serial,user\nT-1,bob\nT-9,eve\n')
    const file = `serial,secret,type,user\nT-1,${HEX},totp,ann\nT-2,${HEX},totp,\n`
    const { exit, text, passedOver, unmatched } = await imported(file, '--users', users)
    expect({ exit, passedOver, unmatched }).to.deep.equal({ exit: 0, passedOver: 1, unmatched: 1 })
    expect(text).to.contain('Passed over, as --users names nobody: 1.')
    expect(text).to.contain('Serial numbers of --users that the file does not have: 1.')
    expect(await serialsOf('bob')).to.deep.equal(['T-1'])
    expect(await serialsOf('ann')).to.deep.equal([])
  })

  it('decrypts PSKC with the key of a file', async () => {
    const users = await app.fileOf('users.csv', '987654321,eve\n')
    const key = await app.fileOf('key', FIGURE_6_KEY.toString('hex'))
    const without = await imported(FIGURE_6, '--users', users)
    expect(without.text).to.contain('Line 14: the seed is encrypted: give --key-file FILE.')
    expect(await imported(FIGURE_6, '--users', users, '--key-file', key)).to.include({
      assigned: 1,
    })
    expect(await serialsOf('eve')).to.deep.equal(['987654321'])
  })

  it('gives up after fifty errors in a row, as the next would take as long', async () => {
    const lines = Array.from({ length: 500 }, (_, index) => `T-${index},${HEX},totp,broken${index}`)
    const { exit, failed, stoppedAt } = await imported(
      `serial,secret,type,user\n${lines.join('\n')}\n`,
    )
    expect(exit).to.equal(1)
    expect(failed).to.be.within(50, 80)
    expect(stoppedAt).to.be.within(40, 80)
  })

  it('goes on after a moment without an answer', async () => {
    const users = [...Array.from({ length: 30 }, (_, index) => `broken${index}`), 'ann']
    const lines = users.map((user, index) => `T-${index},${HEX},totp,${user}`)
    const { failed, assigned, stoppedAt } = await imported(
      `serial,secret,type,user\n${lines.join('\n')}\n`,
    )
    expect({ failed, assigned, stoppedAt }).to.deep.equal({
      ...{ failed: 30, assigned: 1, stoppedAt: null },
    })
  })

  it('holds a thousand faults, and counts the others', async () => {
    const lines = Array.from({ length: 2500 }, (_, index) => `T-${index},x,totp,ann`)
    const { text, failed, faults } = await imported(
      `serial,secret,type,user\n${lines.join('\n')}\n`,
    )
    expect(failed).to.equal(2500)
    expect(faults).to.have.length(1000)
    expect(text).to.contain('1500 more lines failed.')
  })

  for (const [args, said] of [
    [['tokens'], /Say what to do with tokens/],
    [['tokens', 'export', 'x'], /Say what to do with tokens/],
    [['tokens', 'import'], /No file of tokens/],
    [['tokens', 'import', 'a', 'b'], /Unexpected "b"/],
    [
      ['tokens', 'import', '/missing/tokens.csv'],
      /\/missing\/tokens\.csv cannot be read \(ENOENT\)/,
    ],
    [['tokens', 'import', '/dev/null', '--key-file', '/dev/null'], /holds no key/],
    [['tokens', 'import', '/dev/null', '--users', '/missing'], /\/missing cannot be read/],
  ] as const) {
    it(`is used wrongly as ${args.join(' ')}`, async () => {
      const { exitCode, stderr } = await run([...args, '--config', app.config])
      expect(exitCode).to.equal(2)
      expect(stderr).to.match(said)
    })
  }

  it('is explained by help', async () => {
    const { exitCode, stdout } = await run(['help', 'tokens'])
    expect(exitCode).to.equal(0)
    expect(stdout).to.match(/tokens import FILE --config FILE .*--dry-run/)
  })
})
