import { createHmac, randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { Policy } from '../../../lib/domain/policy.js'
import type { SecondStepRecord } from '../../../lib/domain/record.js'
import { type AnnouncedEvent, memoryStore, type RecordStore } from '../../../lib/index.js'
import { keyRing } from '../../../lib/keys/key-ring.js'
import {
  expectProblem,
  expectSafeHeaders,
  getJson,
  postForm,
  postJson,
} from '../../support/answers.js'
import { browserOf, enrol, giveCode, passFirstStep } from '../../support/browser.js'
import { MINUTE, SECOND } from '../../support/clock.js'
import { ann, bob, type Host, makeHost } from '../../support/host.js'
import { authenticatorOf } from '../../support/records.js'
import {
  enrolledVisit,
  pendingBrowser,
  pendingVisit,
  recordOf,
  signedInVisit,
} from '../../support/visits.js'

const newKey = () => randomBytes(32).toString('base64')

/** A host with this key ring on a store that other hosts have too. */
function hostWith(store: RecordStore, keys: readonly string[], since?: Host): Host {
  const host = makeHost({ options: { store, keys } })
  if (since !== undefined) host.system.advance(since.system.now() - host.system.now())
  return host
}

const keyIdOf = (record: SecondStepRecord) => authenticatorOf(record)?.secret.split('.')[1]

describe('a key ring with a new first key', () => {
  it('opens what older keys sealed, and seals anew at a good login', async () => {
    const [store, older, newer] = [memoryStore(), newKey(), newKey()]
    const before = hostWith(store, [older])
    const enrolment = await enrol(before, ann)
    const sealedBefore = keyIdOf(await recordOf(before))

    const rotated = hostWith(store, [newer, older], before)
    await giveCode(await pendingBrowser(rotated), '000000').expect(401)
    expect(keyIdOf(await recordOf(rotated)), 'not at a wrong code').to.equal(sealedBefore)
    await giveCode(await pendingBrowser(rotated), enrolment.code()).expect(200)
    const sealedAfter = keyIdOf(await recordOf(rotated))
    expect(sealedAfter).to.be.a('string').and.not.equal(sealedBefore)

    const later = hostWith(store, [newer], before)
    before.system.advance(30 * SECOND)
    later.system.advance(30 * SECOND)
    await giveCode(await pendingBrowser(later), enrolment.code()).expect(200)
    expect(keyIdOf(await recordOf(later)), 'and once is enough').to.equal(sealedAfter)
  })

  it('knows the backup codes that were made under an older key', async () => {
    const [store, older, newer] = [memoryStore(), newKey(), newKey()]
    const before = hostWith(store, [older])
    const enrolment = await enrol(before, ann)
    const rotated = hostWith(store, [newer, older], before)
    await giveCode(await pendingBrowser(rotated), enrolment.backupCodes[0]).expect(200)
  })
})

describe('a secret that cannot be opened', () => {
  it('is "on and broken": refused with 503, never "off", and no try is lost', async () => {
    const store = memoryStore()
    const enrolment = await enrol(hostWith(store, [newKey()]), ann)
    const host = hostWith(store, [newKey()])
    const browser = await pendingBrowser(host)
    const before = await recordOf(host)
    for (let time = 0; time < 10; time += 1) {
      const answer = await giveCode(browser, enrolment.code())
      expectProblem(answer, 'unavailable', 503)
      expectSafeHeaders(answer)
    }
    await postForm(browser, '/second-step/challenge', { code: enrolment.code() }).expect(503)
    expect(await recordOf(host)).to.deep.equal(before)
    await getJson(browser, '/inside').expect(401, { user: null })
    await postJson(browser, '/second-step/setup', { code: enrolment.code() }).expect(401)
  })

  it('is announced at a verification, and once only: nobody fills a log with it', async () => {
    const store = memoryStore()
    const enrolments = new Map([
      ['ann', await enrol(hostWith(store, [newKey()]), ann)],
      ['bob', await enrol(hostWith(store, [newKey()]), bob)],
    ])
    const host = hostWith(store, [newKey()])
    const told: AnnouncedEvent<'secret-unreadable'>[] = []
    host.secondStep.events.on('secret-unreadable', (event) => told.push(event))
    for (const user of [ann, bob]) {
      const browser = await pendingBrowser(host, user)
      for (let time = 0; time < 5; time += 1) {
        const answer = await giveCode(browser, enrolments.get(user.id)?.code())
        expectProblem(answer, 'unavailable', 503)
      }
    }
    expect(told.map(({ user }) => user)).to.deep.equal(['ann', 'bob'])
    expect(told[0]).to.deep.include({
      method: null,
      detail: null,
      actor: { kind: 'user', id: 'ann' },
    })
    expect(told[0]?.ip).to.be.a('string')
    const logged = await store.audit?.list({ user: 'ann', cursor: null, limit: 100 })
    const types = logged?.entries.map(({ type }) => type)
    expect(types?.filter((type) => type === 'secret-unreadable')).to.have.length(1)
  })

  it('is announced where a set-up in progress cannot be shown or confirmed', async () => {
    const host = makeHost()
    const told: string[] = []
    host.secondStep.events.on('secret-unreadable', ({ user }) => told.push(String(user)))
    const browser = browserOf(host)
    await passFirstStep(browser, ann)
    await getJson(browser, '/second-step/setup').expect(200)
    const record = await recordOf(host)
    if (record.setup === null) throw new Error('no set-up was begun')
    const setup = { ...record.setup, secret: 'v1.a.b.c' }
    const write = { ...record, setup, version: record.version + 1, writeId: 'spoilt' }
    expect(await host.store.write(write, record.version)).to.equal(true)
    expectProblem(await getJson(browser, '/second-step/setup'), 'unavailable', 503)
    const confirmed = await postJson(browser, '/second-step/setup', { code: '123456' })
    expectProblem(confirmed, 'unavailable', 503)
    expect(told).to.deep.equal(['ann'])
  })

  it('is refused all the same where it cannot be announced', async () => {
    const store = memoryStore()
    const enrolment = await enrol(hostWith(store, [newKey()]), ann)
    const host = hostWith(store, [newKey()])
    const browser = await pendingBrowser(host)
    const { audit } = store
    if (audit === undefined) throw new Error('the memory store has a log')
    const append = audit.append
    audit.append = () => Promise.reject(new Error('disk full'))
    expectProblem(await giveCode(browser, enrolment.code()), 'unavailable', 503)
    audit.append = append
    // What was not noted is noted at the next try.
    expectProblem(await giveCode(browser, enrolment.code()), 'unavailable', 503)
    const logged = await audit.list({ user: 'ann', cursor: null, limit: 100 })
    expect(logged?.entries.map(({ type }) => type)).to.include('secret-unreadable')
  })

  it('is refused when somebody moved it to another user or changed a byte of it', async () => {
    // An attacker who can write to the store copies a secret that they know into another user's record.
    const { host, enrolment } = await enrolledVisit()
    await enrol(host, bob)
    const authenticator = authenticatorOf(await recordOf(host))
    const ofBob = authenticatorOf(await recordOf(host, 'bob'))
    if (authenticator === null || ofBob === null) throw new Error('enrolled')
    const last = authenticator.secret.endsWith('A') ? 'B' : 'A'
    const changed = `${authenticator.secret.slice(0, -2)}${last}A`
    for (const secret of [
      ofBob.secret,
      changed,
      '',
      'v1.a.b.c',
      authenticator.secret.slice(0, -16),
    ]) {
      const now = await recordOf(host)
      const next = { ...now, authenticators: [{ ...authenticator, secret }] }
      const write = { ...next, version: now.version + 1, writeId: secret.slice(-4) || 'empty' }
      expect(await host.store.write(write, now.version)).to.equal(true)
      const browser = await pendingBrowser(host)
      expectProblem(await giveCode(browser, enrolment.code()), 'unavailable', 503)
      await getJson(browser, '/inside').expect(401, { user: null })
    }
  })
})

describe('a secret that is empty', () => {
  it('is refused: everybody can make the codes of the empty key', async () => {
    // passport-totp let an un-enrolled user in with a code made from the empty key.
    const [store, key] = [memoryStore(), newKey()]
    const host = hostWith(store, [key])
    await enrol(host, ann)
    const record = await recordOf(host)
    const { version } = record
    const authenticator = authenticatorOf(record)
    if (authenticator === null) throw new Error('enrolled')
    const { sealer } = keyRing([key], host.system)
    const context = { purpose: 'authenticator', userId: 'ann' } as const
    const secret = await sealer.seal(new Uint8Array(), context)
    const empty = { ...record, authenticators: [{ ...authenticator, secret }] }
    await store.write({ ...empty, version: version + 1, writeId: 'empty' }, version)
    const code = createHmac('sha1', '').update(stepOf(host)).digest()
    const offset = (code.at(-1) ?? 0) & 15
    const digits = String((code.readUInt32BE(offset) & 0x7fffffff) % 1e6).padStart(6, '0')
    const browser = await pendingBrowser(host)
    expectProblem(await giveCode(browser, digits), 'unavailable', 503)
    await getJson(browser, '/inside').expect(401, { user: null })
  })
})

/** The counter of RFC 6238 at the host's time. */
function stepOf({ system }: Host): Buffer {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(system.now() / 30_000)))
  return counter
}

describe('a record that cannot be parsed', () => {
  const broken: Record<string, (record: SecondStepRecord) => unknown> = {
    'a text': () => 'nonsense',
    'an empty object': () => ({}),
    undefined: () => undefined,
    'another user’s': (record) => ({ ...record, userId: 'bob' }),
    'without authenticators': ({ authenticators: _, ...rest }) => rest,
    'with half an authenticator': (record) => ({ ...record, authenticators: [{ type: 'totp' }] }),
    'with an authenticator of a newer version': (record) => ({
      ...record,
      authenticators: [{ ...authenticatorOf(record), type: 'passkey' }],
    }),
    'without its attempts': ({ attempts: _, ...rest }) => rest,
    'with an epoch that is none': (record) => ({ ...record, epoch: '1' }),
  }
  for (const [name, breaking] of Object.entries(broken)) {
    it(`signs nobody in, and nobody stays in: ${name}`, async () => {
      const { host, browser: inside, enrolment } = await signedInVisit()
      const half = await pendingBrowser(host)
      const find = host.store.find
      host.store.find = async (id) => {
        const record = await find(id)
        return (record === null ? null : breaking(record)) as SecondStepRecord | null
      }
      const login = await passFirstStep(browserOf(host), ann)
      expectProblem(login, 'unavailable', 503)
      expectProblem(await giveCode(half, enrolment.code()), 'unavailable', 503)
      expectProblem(await getJson(inside, '/inside'), 'unavailable', 503)
      host.store.find = find
      await inside.get('/inside').expect(200)
    })
  }

  it('is refused for a policy too', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    const policies = ['nonsense', {}, undefined, { version: 1, writeId: 'w', mode: 'relaxed' }]
    for (const policy of policies) {
      host.store.findPolicy = async () => policy as unknown as Policy
      expectProblem(await giveCode(browser, enrolment.code()), 'unavailable', 503)
      expectProblem(await passFirstStep(browserOf(host), ann), 'unavailable', 503)
    }
  })
})

describe('a store that fails at the write', () => {
  const failures: Record<string, RecordStore['write']> = {
    'it rejects': () => Promise.reject(new Error('disk full')),
    'it throws': () => {
      throw new Error('not connected')
    },
    'it answers nonsense': () => Promise.resolve('OK' as unknown as boolean),
    'somebody else wins every race': () => Promise.resolve(false),
  }
  for (const [name, write] of Object.entries(failures)) {
    it(`gives no verdict and signs nobody in: ${name}`, async () => {
      const { host, browser, enrolment } = await pendingVisit()
      const works = host.store.write
      host.store.write = write
      for (const code of [enrolment.code(), enrolment.backupCodes[0], '000000']) {
        expectProblem(await giveCode(browser, code), 'unavailable', 503)
      }
      await getJson(browser, '/inside').expect(401, { user: null })
      host.store.write = works
      host.system.advance(MINUTE)
      await giveCode(browser, enrolment.code()).expect(200)
    })
  }
})
