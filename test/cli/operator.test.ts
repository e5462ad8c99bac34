import { randomBytes } from 'node:crypto'
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { readArguments, UsageError } from '../../lib/cli/arguments.js'
import { COMMANDS } from '../../lib/cli/commands.js'
import { run as runHere } from '../../lib/cli/run.js'
import { defaultPolicy, type Policy } from '../../lib/domain/policy.js'
import { blankRecord, type SecondStepRecord } from '../../lib/domain/record.js'
import { keyRing } from '../../lib/keys/key-ring.js'
import { system } from '../../lib/ports/system.js'
import { knexStore } from '../../lib/stores/knex-store.js'
import { redisStore } from '../../lib/stores/redis-store.js'
import { enrolledRecord } from '../../lib/testing/documents.js'
import { cli as cliCounted, type Run, UNCOUNTED } from '../support/cli.js'
import { SQLITE, type TestDatabase } from '../support/databases.js'
import { type MailServer, startMailServer } from '../support/mail-server.js'
import { moduleUrl } from '../support/modules.js'
import { secretOf } from '../support/records.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'

const DAY = 24 * 60 * 60 * 1000
const SUPPORT = moduleUrl('test/support/databases')
const LIB = moduleUrl('lib/index')
// By itself, as all of what a host imports takes half the time of a run.
const STORE = moduleUrl('lib/stores/knex-store')
const NODEMAILER = import.meta.resolve('nodemailer')
const cli = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  cliCounted(args, { ...env, ...UNCOUNTED })
const newKey = () => randomBytes(32).toString('base64')

/** What cannot be undone needs `--yes`: a case of its own leaves it out. */
const confirmed = (args: readonly string[]): string[] =>
  ['reset', 'disable', 'backup-codes'].includes(args[0] ?? '') ? [...args, '--yes'] : [...args]

describe('passport-second-step for the operator', function () {
  this.timeout(60_000)
  const [oldKey, key] = [newKey(), newKey()]
  let database: TestDatabase
  let mailServer: MailServer
  let folder: string
  let store: ReturnType<typeof knexStore>

  /** A config with the options that the app would have. */
  async function configWith(keys: readonly string[], more = ''): Promise<string> {
    const file = join(folder, `${randomBytes(6).toString('hex')}.mjs`)
    await writeFile(
      file,
      `import { connectTo } from '${SUPPORT}'
       import { knexStore } from '${STORE}'
       const users = ['ann', 'bob', 'root'].map((id) => ({ id, email: id + '@acme.example', roles: ['user'] }))
       users.push({ id: 'odd', email: ['odd@acme.example'], roles: ['user'] })
       export const db = connectTo(${JSON.stringify(database.url)})
       export default {
         issuer: 'Acme', origin: 'https://acme.example', keys: ${JSON.stringify(keys)},
         store: knexStore(db),
         users: { findById: async (id) => users.find((user) => user.id === id) },
         roles: ['user', 'admin'],
         ${more}
       }`,
    )
    return file
  }

  let config: string
  /** As a process of its own. */
  const run = (...args: string[]): Promise<Run> => cli([...confirmed(args), '--config', config])
  /** In this process, which takes a tenth of the time: that a process prints it is seen with `run`. */
  const here = async (...args: string[]): Promise<Run> => {
    const { exitCode, ...printed } = await runHere([...confirmed(args), '--config', config])
    return { code: exitCode, ...printed }
  }
  const json = async (...args: string[]) => {
    const { code, stdout } = await here(...args, '--json')
    return { exit: code, ...JSON.parse(stdout) }
  }

  async function enrol(userId: string, parts: Partial<SecondStepRecord> = {}): Promise<void> {
    const version = (await store.find(userId))?.version ?? 0
    const record = enrolledRecord(userId, version + 1)
    const context = { purpose: 'authenticator', userId } as const
    const secret = await keyRing([oldKey], system).sealer.seal(Buffer.from('a secret'), context)
    const authenticators = record.authenticators.map((one) => ({ ...one, secret }))
    const plain = { pausedUntil: null, setup: null, attempts: { misses: [], consecutive: 0 } }
    const next = { ...record, authenticators, ...plain, ...parts }
    expect(await store.write({ ...next, writeId: `w${version}` }, version)).to.equal(true)
  }

  before(async () => {
    database = await SQLITE.start()
    mailServer = await startMailServer()
    folder = await mkdtemp(join(tmpdir(), 'second-step-operator-'))
    store = knexStore(database.connect())
    await store.migrate()
    config = await configWith([key, oldKey])
  })
  after(async () => {
    if (config !== undefined) await (await import(pathToFileURL(config).href)).db.destroy()
    await database?.stop()
    await mailServer?.stop()
    await rm(folder, { recursive: true, force: true })
  })
  beforeEach(() => enrol('ann'))

  it('shows how a user is, also one that nobody knows', async () => {
    const { exit, state, user, pausedUntil, since } = await json('status', '--user', 'ann')
    expect({ exit, state, user, pausedUntil }).to.deep.equal({
      exit: 0,
      state: 'on',
      user: 'ann',
      pausedUntil: null,
    })
    expect(new Date(since).toISOString()).to.equal(since)
    const text = await run('status', '--user', 'ann')
    expect([text.code, text.stderr]).to.deep.equal([0, ''])
    expect(text.stdout).to.match(/^ann:\n {2}state: on\n/)
    expect(await json('status', '--user', 'bob')).to.include({ exit: 0, state: 'off' })
    expect(await json('status', '--user', 'nobody')).to.include({ exit: 1, code: 'not-found' })
  })

  it('says what is wrong with a user whom the app tells wrongly, and changes nothing', async () => {
    for (const command of ['status', 'reset', 'disable']) {
      const { exit, error } = await json(command, '--user', 'odd')
      expect(exit).to.equal(1)
      expect(error).to.contain('`email` that is a list').and.not.contain('odd@')
    }
    expect(await store.find('odd')).to.equal(null)
  })

  it('resets, which leads the next login to the set-up', async () => {
    const before = Date.now()
    expect(await json('reset', '--user', 'ann', '--reason', 'lost phone')).to.include({
      exit: 0,
      user: 'ann',
      state: 'must-set-up',
    })
    const record = await store.find('ann')
    expect(record?.authenticators).to.deep.equal([])
    expect(record?.mustSetUp?.until).to.be.within(before + 7 * DAY, Date.now() + 7 * DAY)
    const { events } = await json('events', '--user', 'ann', '--limit', '1')
    expect(events[0]).to.deep.include({
      type: 'reset',
      user: 'ann',
      reason: 'lost phone',
      actor: { kind: 'operator', id: null },
    })
  })

  it('disables, pauses, resumes and unlocks', async () => {
    const { exit, pausedUntil, state } = await json('pause', '--user', 'ann', '--days', '2')
    expect([exit, state]).to.deep.equal([0, 'paused'])
    expect(Date.parse(pausedUntil)).to.be.closeTo(Date.now() + 2 * DAY, 60_000)
    expect(await json('pause', '--user', 'ann', '--days', 'forever')).to.include({
      pausedUntil: 'forever',
    })
    expect(await json('resume', '--user', 'ann')).to.include({ exit: 0, state: 'on' })
    const misses = Array.from({ length: 20 }, () => Date.now())
    await enrol('ann', { attempts: { misses, consecutive: 20 } })
    expect(await json('status', '--user', 'ann')).to.include({ state: 'locked' })
    const unlocked = { exit: 0, state: 'on', changed: true }
    expect(await json('unlock', '--user', 'ann')).to.include(unlocked)
    const again = await run('unlock', '--user', 'ann')
    expect(again).to.deep.equal({
      code: 0,
      stdout: 'ann: there was nothing to unlock. The second step is now: on.\n',
      stderr: '',
    })
    const text = await run('disable', '--user', 'ann')
    expect([text.code, text.stderr]).to.deep.equal([0, ''])
    expect(text.stdout).to.equal('ann: disable done. The second step is now: off.\n')
  })

  // The mistake: an operator resets another user than the one they meant.
  it('says what it would do with --dry-run, changes nothing and writes nothing down', async () => {
    const before = await store.find('ann')
    const newest = async () => (await json('events', '--limit', '1')).events[0]?.id
    const last = await newest()
    const dry = { exit: 0, user: 'ann', dryRun: true, changed: true }
    const reset = await runHere(['reset', '--user', 'ann', '--dry-run', '--config', config])
    expect(reset.stdout).to.equal(
      'ann: reset would be done. The second step would be: must-set-up.\n',
    )
    for (const command of ['one-time-code', 'backup-codes', 'end-sessions']) {
      const { code, backupCodes, ...told } = await json(command, '--user', 'ann', '--dry-run')
      expect(told, command).to.include({ ...dry, state: 'on' })
      expect([code, backupCodes], command).to.deep.equal([undefined, undefined])
    }
    const refused = await json('pause', '--user', 'bob', '--days', '3', '--dry-run')
    expect(refused).to.include({ exit: 1, code: 'not-enrolled' })
    expect(await store.find('ann')).to.deep.equal(before)
    expect(await newest()).to.equal(last)
  })

  it('asks for --yes where nothing can be undone', async () => {
    for (const command of ['reset', 'disable', 'backup-codes']) {
      const { exitCode, stderr } = await runHere([command, '--user', 'ann', '--config', config])
      expect(exitCode).to.equal(2)
      expect(stderr).to.contain(`${command} cannot be undone: add --yes`)
    }
    expect(await json('status', '--user', 'ann')).to.include({ state: 'on' })
  })

  it('makes codes, which it prints once, and ends sessions', async () => {
    const before = (await store.find('ann'))?.epoch ?? 0
    const { code, expiresAt } = await json('one-time-code', '--user', 'ann', '--reason', 'lost')
    expect(code).to.match(/^[0-9A-HJKMNP-TV-Z-]+$/)
    expect(Date.parse(expiresAt)).to.be.closeTo(Date.now() + DAY, 60_000)
    const { backupCodes } = await json('backup-codes', '--user', 'ann')
    expect(backupCodes).to.have.length(10)
    const text = await run('end-sessions', '--user', 'ann')
    expect(text.stdout).to.equal('ann: end-sessions done. The second step is now: on.\n')
    expect((await store.find('ann'))?.epoch).to.be.above(before)
    const { events } = await json('events', '--user', 'ann', '--limit', '3')
    expect(events.map(({ type }: { type: string }) => type)).to.deep.equal([
      ...['sessions-ended', 'backup-codes-made', 'one-time-code-made'],
    ])
    expect(JSON.stringify(events)).to.not.include(code).and.not.include(backupCodes[0])
  })

  it('refuses what makes no sense, says why, and writes the refusal down', async () => {
    const nobody = /^There is no user [^\n]+\n$/
    for (const [why, ...args] of [
      [nobody, 'reset', '--user', 'nobody'],
      [nobody, 'disable', '--user', 'nobody'],
      [/^[^\n]+\(not-enrolled\)[^\n]+\n$/, 'pause', '--user', 'bob', '--days', '3'],
      [nobody, 'unlock', '--user', "x'); drop table records; --"],
    ] as const) {
      const text = await here(...args)
      expect([text.code, text.stdout], args.join(' ')).to.deep.equal([1, ''])
      expect(text.stderr).to.match(why)
    }
    expect(await json('reset', '--user', 'bob')).to.include({
      exit: 1,
      code: 'not-enrolled',
    })
    const { events } = await json('events', '--user', 'bob', '--limit', '1')
    expect(events[0]).to.deep.include({
      type: 'change-refused',
      detail: { action: 'reset', code: 'not-enrolled' },
    })
  })

  it('ends with code 2 and one line when used wrongly', async () => {
    for (const args of [
      ['pause', '--user', 'ann', '--days', '-1'],
      ['reset', '--user', 'ann', '--days', '3'],
      ['reset', '--user', 'ann', 'bob'],
      ['policy', '--role', 'boss=required'],
      ['policy', '--role', '__proto__=required'],
      ['events', '--cursor', 'made up'],
    ]) {
      const { code, stdout, stderr } = await here(...args)
      expect([code, stdout], args.join(' ')).to.deep.equal([2, ''])
      expect(stderr).to.match(/^[^\n]+\n$/)
      expect(stderr).to.contain(`See "npx passport-second-step help ${args[0]}".`)
    }
  })

  it('changes nothing after a typo', async () => {
    const user = ['--user', 'ann']
    const days = ['0', '366', '1.5', '1e9', 'NaN', '', '-1', '٣', '0x10', ' 1', 'Forever']
    for (const [name, ...args] of [
      ...days.map((given) => ['pause', ...user, `--days=${given}`]),
      ['pause', ...user],
      ['reset'],
      ['reset', '--user', ''],
      ['status'],
      ['reset', ...user, '--yes', '--reason', 'x'.repeat(501)],
      ['reset', ...user],
      ['disable', ...user, '--reason', 'left'],
      ['backup-codes', ...user],
      ...['a\u001b[2Jb', 'a\u009b2Jb', 'a\u0007', 'a\u007f'].map((reason) => [
        ...['reset', ...user, '--yes', '--reason', reason],
      ]),
      ['policy', '--mode', 'required', '--reason', '\u001b]0;title\u0007'],
      ['policy', '--mode', 'none'],
      ['policy', '--role', 'admin'],
      ['policy', '--role', '=required'],
      ['policy', '--role', 'admin=never'],
      ['policy', '--grace-days', '366'],
      ['policy', '--code-attempts', '2'],
      ['policy', '--password-attempts', '21'],
      ['policy', '--backup-codes', 'true'],
      ['events', '--limit', '0'],
      ['events', '--limit', '101'],
    ]) {
      const { values } = readArguments([...args, '--config', config])
      const run = async () => COMMANDS.get(name ?? '')?.run(values)
      const failure: unknown = await run().catch((error: unknown) => error)
      expect(failure, [name, ...args].join(' ')).to.be.instanceOf(UsageError)
    }
    expect((await store.find('ann'))?.pausedUntil).to.equal(null)
    expect(await store.findPolicy()).to.equal(null)
  })

  it('shows the policy, and changes the named fields', async () => {
    expect(await json('policy')).to.deep.include({ exit: 0, mode: 'optional', updatedAt: null })
    const change = ['--role', 'admin=required', '--role', 'user=off', '--grace-days', '3']
    const attempts = ['--code-attempts', '4', '--password-attempts', '8', '--backup-codes', 'off']
    const changed = await json('policy', ...change, ...attempts, '--reason', 'audit')
    expect(changed).to.deep.include({
      roles: { admin: 'required', user: 'off' },
      graceDays: 3,
      codeAttempts: 4,
      passwordAttempts: 8,
      backupCodes: false,
      updatedBy: 'operator',
    })
    const eased = await json('policy', '--role', 'user=default', '--mode', 'required')
    expect(eased).to.deep.include({ mode: 'required', roles: { admin: 'required' } })
    const { events } = await json('events', '--limit', '2')
    expect(events.map(({ type }: { type: string }) => type)).to.deep.equal([
      'policy-changed',
      'policy-changed',
    ])
    expect(events[1]).to.deep.include({ user: null, reason: 'audit' })

    const required = { exit: 1, code: 'required-by-policy' }
    expect(await json('disable', '--user', 'ann')).to.include(required)
    expect(await json('pause', '--user', 'ann', '--days', 'forever')).to.include(required)
    expect(await json('reset', '--user', 'ann')).to.include({ exit: 0, state: 'must-set-up' })
    await json('policy', '--mode', 'optional', '--role', 'admin=default')
    const text = await run('policy')
    expect(text.stdout).to.contain('mode: optional\n').and.contain('updatedBy: operator')
    expect(text.stdout).not.to.contain('admins')
    const off = await run('policy', '--role', 'admin=off')
    expect(off.stdout).to.contain('role admin: off\nFor admins off counts as optional')
  })

  // Between the command's first look and its write an admin requires a second step of all admins.
  it('keeps another admin’s rule that came meanwhile', async () => {
    await json('policy', '--role', 'user=off')
    const raced = await configWith([key, oldKey], 'store: await raced()')
    await appendFile(
      raced,
      `
       async function raced() {
         const store = knexStore(connectTo(${JSON.stringify(database.url)}))
         let reads = 0
         const findPolicy = async () => {
           reads += 1
           const policy = await store.findPolicy()
           if (reads > 1) return policy
           const { version } = policy
           const roles = { ...policy.roles, admin: 'required' }
           const next = { ...policy, roles, version: version + 1, writeId: 'web' + version }
           if (!(await store.writePolicy(next, version))) throw new Error('lost the race')
           return policy
         }
         return Object.assign(Object.create(store), { findPolicy })
       }`,
    )
    const args = ['policy', '--role', 'user=optional', '--json', '--config', raced]
    const { code, stdout, stderr } = await cli(args)
    expect(code, stderr).to.equal(0)
    const roles = { admin: 'required', user: 'optional' }
    expect(JSON.parse(stdout).roles).to.deep.equal(roles)
    expect((await store.findPolicy())?.roles).to.deep.equal(roles)
    await json('policy', '--role', 'admin=default', '--role', 'user=default')
  })

  it('reports how many have a second step, and a dash for what nobody can know', async () => {
    const { exit, known, enrolled, roles, days } = await json('report')
    expect({ exit, known, days: days.length }).to.deep.equal({ exit: 0, known: null, days: 30 })
    expect(roles.user.known).to.equal(null)
    expect(roles.admin).to.deep.equal({ known: null, enrolled: 0 })
    await here('disable', '--user', 'ann')
    const { code, stdout } = await here('report')
    expect(code).to.equal(0)
    expect(stdout).to.match(/^users: -\n/)
    expect(stdout).to.contain(`\nhave a second step: ${enrolled - 1}\n`)
    expect(stdout).to.contain(`\nrole user, with a second step: ${roles.user.enrolled - 1}\n`)
  })

  it('lists events page by page', async () => {
    await json('unlock', '--user', 'nobody')
    const first = await json('events', '--limit', '1')
    expect(first.events).to.have.length(1)
    const second = await json('events', '--limit', '1', '--cursor', first.next)
    expect(second.events[0].id < first.events[0].id).to.equal(true)
    const text = await run('events', '--limit', '1')
    expect(text.stdout).to.contain('change-refused').and.contain('--cursor')
  })

  it('lists users by state and by id, page by page', async () => {
    const { exit, users } = await json('users', '--state', 'on')
    expect(exit).to.equal(0)
    expect(users.map(({ id }: { id: string }) => id)).to.include('ann')
    const { users: found, next } = await json('users', '--search', 'bob')
    expect([found[0].id, found[0].state, next]).to.deep.equal(['bob', 'off', null])
    const text = await here('users', '--search', 'ann')
    expect(text.stdout).to.match(/^"ann" {2}on {2}/)
    for (const args of [
      ['--state', 'x'],
      ['--limit', '0'],
      ['--cursor', 'x'],
    ]) {
      expect((await here('users', ...args)).code, args.join(' ')).to.equal(2)
    }
    const odd = await json('users', '--search', 'odd')
    expect(odd).to.deep.include({ exit: 1, problems: ['`users` describes "odd" wrongly.'] })
  })

  it('lists the users of `users.list` page by page', async () => {
    const list = `users: {
      findById: async (id) => users.find((user) => user.id === id),
      list: async ({ cursor }) => {
        const at = Number(cursor ?? 0)
        return { users: users.slice(at, at + 1), next: at < 2 ? String(at + 1) : null }
      },
    },`
    const file = await configWith([key, oldKey], list)
    const page = async (...args: string[]) => {
      const { exitCode, stdout } = await runHere(['users', ...args, '--config', file, '--json'])
      return { exitCode, ...JSON.parse(stdout || '{}') }
    }
    try {
      const first = await page('--limit', '1')
      expect(first.users.map(({ id }: { id: string }) => id)).to.deep.equal(['ann'])
      const second = await page('--limit', '1', '--cursor', first.next)
      expect(second.users.map(({ id }: { id: string }) => id)).to.deep.equal(['bob'])
      const other = await page('--state', 'on', '--cursor', first.next)
      expect(other).to.deep.equal({ exitCode: 2 })
    } finally {
      await (await import(pathToFileURL(file).href)).db.destroy()
    }
  })

  it('lists events of a type, of a time and by who did them', async () => {
    await json('unlock', '--user', 'nobody')
    const today = new Date().toISOString().slice(0, 10)
    const since = ['--type', 'change-refused', '--from', today]
    const { events } = await json('events', ...since, '--limit', '1')
    expect(events[0]).to.deep.include({ type: 'change-refused', user: 'nobody' })
    expect((await json('events', '--to', '2001-01-01')).events).to.deep.equal([])
    expect((await json('events', '--actor', 'ann')).events).to.deep.equal([])
    for (const args of [
      ['--type', 'x'],
      ['--from', '2026-02-30'],
      ['--to', 'yesterday'],
      ['--from', today, '--to', '2001-01-01'],
    ]) {
      const { code, stderr } = await here('events', ...args)
      expect([code, stderr.split('\n').length], args.join(' ')).to.deep.equal([2, 2])
    }
  })

  it('prints no terminal control sequences, whoever wrote the text', async () => {
    // A reason that clears the screen, or turns the line around, hides what was done.
    const evil = 'a\u001b[2J\u009b2J\u007f\u202eb\nc \u{e0001}'
    const entry = {
      ...{ id: 'f'.repeat(32), at: Date.now(), type: 'reset' as const, user: evil, method: null },
      ...{ actor: { kind: 'admin' as const, id: evil }, ip: evil, userAgent: null },
      ...{ reason: evil, detail: { why: evil } },
    }
    await store.audit?.append([entry])
    const text = await run('events', '--limit', '1')
    expect(text.stdout).to.not.match(/[^\P{C}\n]/u)
    const shown = '"a\\u001b[2J\\u009b2J\\u007f\\u202eb\\nc \\udb40\\udc01"'
    expect(text.stdout).to.include(`  reason=${shown}  `).and.to.include(`user=${shown}  `)
    expect(text.stdout.trimEnd().split('\n')).to.have.length(2)
    const asJson = await run('events', '--limit', '1', '--json')
    expect(asJson.stdout).to.not.match(/[^\P{Cc}\n]/u)
    expect(JSON.parse(asJson.stdout).events[0]).to.include({ reason: evil, user: evil })
    const status = await run('status', '--user', evil)
    expect(status.stderr)
      .to.match(/^There is no user a\\u001b/)
      .and.to.not.match(/[^\P{C}\n]/u)
  })

  it('seals every secret under the first key, and finds nothing to do the next time', async () => {
    const setupSecret = await keyRing([oldKey], system).sealer.seal(Buffer.from('new one'), {
      purpose: 'setup',
      userId: 'bob',
    })
    const setup = {
      type: 'totp',
      algorithm: 'sha1',
      digits: 6,
      period: 30,
      owner: 'o',
      misses: 0,
      replaces: 'all',
    } as const
    await enrol('bob', { setup: { ...setup, secret: setupSecret, startedAt: Date.now() } })
    const before = await store.find('ann')
    expect(await json('reseal')).to.deep.include({ exit: 0, broken: [] })
    const after = await store.find('ann')
    expect(secretOf(after?.authenticators[0])).not.to.equal(secretOf(before?.authenticators[0]))
    const { sealer } = keyRing([key], system)
    const opened = await Promise.all([
      sealer.open(secretOf(after?.authenticators[0]), {
        purpose: 'authenticator',
        userId: 'ann',
      }),
      sealer.open(secretOf((await store.find('bob'))?.setup), {
        purpose: 'setup',
        userId: 'bob',
      }),
    ])
    expect(opened.map(({ secret }) => Buffer.from(secret).toString())).to.deep.equal([
      'a secret',
      'new one',
    ])
    expect(await json('reseal')).to.include({ exit: 0, resealed: 0 })

    const alone = await configWith([key])
    const checked = await cli(['check', '--config', alone, '--json'])
    expect([checked.code, JSON.parse(checked.stdout).broken]).to.deep.equal([0, []])
    await enrol('ann')
    const broken = await cli(['reseal', '--config', alone])
    expect([broken.code, broken.stdout]).to.deep.equal([1, ''])
    expect(broken.stderr).to.contain('"ann" was not sealed').and.contain('1 could not be.')
  })

  // The old key is dropped after "all is whole", and backup codes are dead that the settings count.
  it('tells whose codes need the old key, and when it may leave the ring', async () => {
    const made = (userId: string, of: string) => {
      const [keyId] = keyRing([of], system).digester.keyIds
      const set = { id: 'set', keyId, createdAt: 1, saved: true, seenByAdmin: false }
      return enrol(userId, { backupCodes: { ...set, codes: [{ digest: 'd', usedAt: null }] } })
    }
    await made('ann', key)
    await made('bob', oldKey)
    const sealed = await run('reseal')
    expect(sealed.code, sealed.stderr).to.equal(0)
    expect(sealed.stdout).to.match(
      /keys\[1\] \(.{8}\): still needed by the backup codes of 1 user;/,
    )
    expect(sealed.stdout).to.contain('"bob"').and.not.contain('"ann"')
    const { keys } = await json('check')
    expect(keys[0]).to.deep.include({ place: 'current', secrets: 2, backupCodes: 1, users: null })
    expect(keys[1]).to.deep.include({ place: 'older', secrets: 0, users: ['bob'] })

    const alone = await configWith([key])
    const dropped = await cli(['check', '--config', alone])
    expect(dropped.code).to.equal(0)
    expect(dropped.stdout).to.contain('the backup codes of 1 user no longer work: "bob"')
    const status = await cli(['status', '--user', 'bob', '--config', alone, '--json'])
    expect(JSON.parse(status.stdout).backupCodesLeft).to.equal(0)

    await made('bob', key)
    await run('reseal')
    expect((await run('check')).stdout).to.contain('no record needs it any more; it may leave')
  })

  // Whoever drops the old key after such a run locks the user out: nothing said that they need it.
  it('is not stopped by a set-up that was left under a key that is gone', async () => {
    const [goneKey, at] = [newKey(), { purpose: 'setup', userId: 'bob' } as const]
    const secret = await keyRing([goneKey], system).sealer.seal(Buffer.from('left'), at)
    const setup = { type: 'totp', algorithm: 'sha1', digits: 6, period: 30, owner: 'o' } as const
    const left = {
      ...setup,
      secret,
      startedAt: Date.now() - 60 * DAY,
      misses: 0,
      replaces: 'all',
    } as const
    const current = { ...left, startedAt: Date.now() }

    await enrol('bob', { setup: left, backupCodes: null })
    const checked = await json('check')
    expect(checked).to.deep.include({ exit: 0, broken: [] })
    expect(checked.keys[1].users).to.include('bob')
    expect(await json('reseal')).to.deep.include({ exit: 0, broken: [] })
    expect((await store.find('bob'))?.setup).to.equal(null)

    await enrol('bob', { setup: current, backupCodes: null })
    const half = await json('check')
    expect([half.exit, half.broken.length]).to.deep.equal([1, 1])
    expect(half.keys[1].users).to.include('bob')
    const sealed = await json('reseal')
    expect([sealed.exit, sealed.broken.length]).to.deep.equal([1, 1])
    expect(sealed.keys[0].secrets).to.equal(2)
    const alone = keyRing([key], system).sealer
    const { authenticators = [] } = (await store.find('bob')) ?? {}
    await alone.open(secretOf(authenticators[0]), { purpose: 'authenticator', userId: 'bob' })
    await enrol('bob')
  })

  it('mails the user, and waits until the mail is out', async () => {
    const transport = `import('${NODEMAILER}').then(({ createTransport }) => createTransport({ host: '127.0.0.1', port: ${mailServer.port}, ignoreTLS: true }))`
    const withMail = await configWith(
      [key, oldKey],
      `mail: { from: 'Acme <no-reply@acme.example>', transport: await ${transport} },`,
    )
    const { code } = await cli(['reset', '--user', 'ann', '--yes', '--config', withMail])
    expect(code).to.equal(0)
    expect(mailServer.mails).to.have.length(1)
    expect(mailServer.mails[0]?.text).to.contain('The operator of Acme has reset your second step')
    expect(mailServer.mails[0]?.recipients).to.deep.equal(['ann@acme.example'])
  })

  // The mistake: each run of cron mails everybody again.
  it('reminds users whose days end soon, each once', async () => {
    const none = await json('remind')
    expect(none.exit).to.equal(1)
    const transport = `import('${NODEMAILER}').then(({ createTransport }) => createTransport({ host: '127.0.0.1', port: ${mailServer.port}, ignoreTLS: true }))`
    const withMail = await configWith(
      [key, oldKey],
      `mail: { from: 'Acme <no-reply@acme.example>', transport: await ${transport} },`,
    )
    await enrol('bob')
    const version = (await store.find('root'))?.version ?? 0
    const root = { ...blankRecord('root'), version: version + 1, writeId: `w${version}` }
    expect(await store.write(root, version)).to.equal(true)
    const before = (await store.findPolicy()) ?? defaultPolicy
    const write = (policy: Policy, expected: number) =>
      store.writePolicy({ ...policy, version: expected + 1, writeId: `p${expected}` }, expected)
    const requiredSince = { general: Date.now() - 5 * DAY, roles: {} }
    const required = {
      ...before,
      mode: 'required',
      roles: {},
      graceDays: 7,
      requiredSince,
    } as const
    expect(await write(required, before.version)).to.equal(true)
    const mails = mailServer.mails.length
    const remind = async (...more: string[]) => {
      const args = ['remind', '--json', '--config', withMail, ...more]
      const { code, stdout, stderr } = await cli(args)
      expect(code, stderr).to.equal(0)
      return JSON.parse(stdout)
    }
    expect(await remind('--dry-run')).to.include({ dryRun: true, reminded: 1 })
    expect(mailServer.mails).to.have.length(mails)
    expect(await remind()).to.include({ dryRun: false, reminded: 1 })
    expect(await remind()).to.include({ reminded: 0 })
    expect(mailServer.mails).to.have.length(mails + 1)
    expect(mailServer.mails.at(-1)?.recipients).to.deep.equal(['root@acme.example'])
    expect(await write(before, before.version + 1)).to.equal(true)
  })

  it('says so when the mail was not sent; the change is done all the same', async () => {
    const broken = await configWith(
      [key, oldKey],
      `mail: { from: 'a@b.c', transport: { sendMail: async () => { throw new Error('pass-word') } } },`,
    )
    const { code, stderr } = await cli(['reset', '--user', 'ann', '--yes', '--config', broken])
    expect(code).to.equal(0)
    expect(stderr).to.contain('was not sent (transport: Error)').and.not.contain('pass-word')
    const { events } = await json('events', '--user', 'ann', '--limit', '2')
    expect(events[0].type).to.equal('mail-failed')
  })

  it('wants all of the app’s options', async () => {
    const file = join(folder, 'store-alone.mjs')
    await writeFile(
      file,
      `import { memoryStore } from '${LIB}'; export default { store: memoryStore() }`,
    )
    const { code, stderr } = await cli(['status', '--user', 'ann', '--config', file])
    expect(code).to.equal(1)
    expect(stderr)
      .to.match(/^[^\n]+\n$/)
      .and.contain('issuer')
  })
})

describe('passport-second-step with the client that the README names', () => {
  let server: RedisServer
  let folder: string
  before(async () => {
    server = await startRedisServer()
    folder = await mkdtemp(join(tmpdir(), 'second-step-readme-'))
  })
  after(async () => {
    await server?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  async function configFor(port: number): Promise<string> {
    const file = join(folder, `${port}.mjs`)
    const options = '{ commandTimeout: 1000, maxRetriesPerRequest: 1, enableOfflineQueue: false }'
    await writeFile(
      file,
      `import { Redis } from '${import.meta.resolve('ioredis')}'
       import { redisStore } from '${LIB}'
       const redis = new Redis(${port}, '127.0.0.1', ${options})
       redis.on('error', () => undefined)
       export default { issuer: 'Acme', origin: 'https://acme.example', keys: ['${newKey()}'],
         store: redisStore(redis, { persistent: true }), redis }`,
    )
    return file
  }

  it('waits until it is connected: it queues no commands', async function () {
    this.timeout(60_000)
    const { code } = await cli(['init', '--redis', server.url])
    expect(code).to.equal(0)
    const config = await configFor(server.port)
    for (const [name, ...args] of [['status', '--user', 'ann'], ['check'], ['policy']]) {
      const run = await cli([name ?? '', ...args, '--config', config, '--json'])
      expect([run.code, run.stderr], name).to.deep.equal([0, ''])
      expect(JSON.parse(run.stdout), name).to.be.an('object')
    }
  })

  // A key is deleted by mistake; the check says that all is whole, and nobody restores it.
  it('names a record that was lost, in check and in reseal', async function () {
    this.timeout(60_000)
    const redis = new Redis(server.port, '127.0.0.1')
    try {
      const records = redisStore(redis)
      await records.open?.({ production: false })
      await records.write(blankRecord('ann'), 0)
      const [key = ''] = await redis.keys('second-step:{*}:r:*')
      await redis.del(key)
      const config = await configFor(server.port)
      for (const command of ['check', 'reseal']) {
        const { code, stderr } = await cli([command, '--config', config])
        expect(code, command).to.equal(1)
        expect(stderr, command).to.contain(`The record ${key} is lost.`)
      }
      const status = await cli(['status', '--user', 'ann', '--config', config])
      expect(status.code).to.equal(1)
      expect(status.stderr).to.contain('is lost')
    } finally {
      redis.disconnect()
    }
  })

  it('gives up on one that is away, and says so as JSON too', async function () {
    this.timeout(60_000)
    const away = await startRedisServer()
    await away.stop()
    const args = ['status', '--user', 'ann', '--config', await configFor(away.port), '--json']
    const { code, stdout, stderr } = await cli(args)
    expect(code).to.equal(1)
    expect(JSON.parse(stdout).error).to.contain('the record store is not available')
    expect(stderr).to.contain('the record store is not available')
  })
})

describe('passport-second-step at a Redis without its marker', () => {
  let server: RedisServer
  before(async () => {
    server = await startRedisServer()
  })
  after(() => server?.stop())

  // An emptied Redis reads as "nobody has a second step": a look must not declare it trustworthy.
  it('refuses to look, and makes no marker, whatever NODE_ENV says', async function () {
    this.timeout(30_000)
    const folder = await mkdtemp(join(tmpdir(), 'second-step-redis-'))
    const file = join(folder, 'config.mjs')
    const redis = new Redis(server.port, '127.0.0.1')
    try {
      await writeFile(
        file,
        `import { Redis } from '${import.meta.resolve('ioredis')}'
         import { redisStore } from '${LIB}'
         const redis = new Redis(${server.port}, '127.0.0.1')
         export default { issuer: 'Acme', origin: 'https://acme.example', keys: ['${newKey()}'],
           store: redisStore(redis), redis }`,
      )
      for (const command of ['status', 'reset']) {
        const args = [...confirmed([command, '--user', 'ann']), '--config', file]
        const { code, stdout, stderr } = await cli(args, { NODE_ENV: 'development' })
        expect([code, stdout]).to.deep.equal([1, ''])
        expect(stderr).to.contain('passport-second-step init')
      }
      expect(await redis.keys('*')).to.deep.equal([])
    } finally {
      redis.disconnect()
      await rm(folder, { recursive: true })
    }
  })
})
