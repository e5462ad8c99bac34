// The attack: X-Forwarded-For is any client's to write. One who sends it must not be counted under nothing
// (60 of 60 passwords were judged after the limit was reached), nor under an address that they choose. And where
// it comes from a proxy that Express does not trust, everybody behind it has one address: a stranger
// who uses its tries up refuses them all.

import { expect } from 'chai'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { errors, type SecondStepOptions } from '../../../lib/index.js'
import { postJson } from '../../support/answers.js'
import { browserOf, enrol, giveCode, JSON_TYPE } from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import {
  ann,
  bob,
  type Host,
  type HostOptions,
  type HostUser,
  makeHost,
} from '../../support/host.js'
import { lostHost, member } from '../../support/lost.js'
import { enrolledVisit, pendingBrowser, wrongCodeOf } from '../../support/visits.js'
import { warningsDuring } from '../../support/warnings.js'

type Headers = Readonly<Record<string, string>>

interface Site extends Host {
  /** What the host's error handler was given. */
  readonly failures: Error[]
}

interface Proxied extends Pick<HostOptions, 'users'> {
  readonly options?: Partial<SecondStepOptions<HostUser>>
  readonly trust?: unknown
  /** Who connects. Default: a client of this machine. */
  readonly peer?: string
}

/** A host whose requests come from that peer, and that has an error handler of its own. */
function hostBehind({ options = {}, trust, peer, ...more }: Proxied = {}): Site {
  const failures: Error[] = []
  const from: RequestHandler = (req, _res, next) => {
    if (peer !== undefined) Object.defineProperty(req.socket, 'remoteAddress', { value: peer })
    next()
  }
  const keep: ErrorRequestHandler = (error, _req, res, _next) => {
    failures.push(error)
    res.status(500).json({ error: error.name })
  }
  const host = makeHost({
    ...more,
    options,
    initialize: from,
    beforeGuard: ({ app }) => {
      if (trust !== undefined) app.set('trust proxy', trust)
    },
    routes: ({ app, passport, secondStep }) => {
      const local = passport.authenticate('local', { successRedirect: '/inside' })
      app.post('/limited', secondStep.limitPassword(), local)
      app.use(secondStep.errorHandler(), keep)
    },
  })
  return { ...host, failures }
}

function tryPassword(host: Host, headers: Headers, body: object = {}) {
  const given = { username: 'ann', password: 'guessed', ...body }
  return browserOf(host)
    .post('/limited')
    .set({ Accept: JSON_TYPE, ...headers })
    .send(given)
}

const right = { password: ann.password }
const forwarded = (address: string) => ({ 'X-Forwarded-For': address })

describe('a client that sends X-Forwarded-For to an app without a proxy', () => {
  for (const peer of ['127.0.0.1', '10.1.2.3', '203.0.113.7']) {
    it(`gets no verdict on a password, from ${peer}, before or after the limit`, async () => {
      const host = hostBehind({ peer })
      for (let time = 0; time < 10; time += 1) await tryPassword(host, {}).expect(401)
      for (let time = 0; time < 10; time += 1) {
        await tryPassword(host, forwarded(`198.51.100.${time}`), right).expect(500)
      }
      await tryPassword(host, {}, right).expect(429)
    })
  }

  it('gets none on a code, and its misses are nobody’s', async () => {
    const { host, enrolment } = await enrolledVisit()
    const browser = await pendingBrowser(host)
    for (const code of [wrongCodeOf(host, enrolment), enrolment.code()]) {
      await giveCode(browser, code).set(forwarded('1.2.3.4')).expect(500)
    }
    await giveCode(browser, enrolment.code()).expect(200)
  })

  it('gets none on the code of a set-up', async () => {
    const host = hostBehind()
    const browser = browserOf(host)
    await browser.post('/login').send({ username: 'ann', password: ann.password }).expect(302)
    await browser.get('/second-step/setup').set('Accept', JSON_TYPE).expect(200)
    await browser
      .post('/second-step/setup')
      .set({ Accept: JSON_TYPE, ...forwarded('1.2.3.4') })
      .send({ code: '123456' })
      .expect(500)
    expect(host.failures[0]).to.be.instanceOf(errors.ConfigurationError)
  })

  it('is let alone where no address is counted', async () => {
    const host = hostBehind({ options: { ipLimit: false } })
    const enrolment = await enrol(host, ann)
    const browser = await pendingBrowser(host)
    await giveCode(browser, enrolment.code()).set(forwarded('1.2.3.4')).expect(200)
  })

  it('is counted under its own address where the host says so', async () => {
    const host = hostBehind({ options: { ignoreForwardedFor: true }, peer: '203.0.113.7' })
    const sent = [
      {},
      forwarded('1.2.3.4'),
      { 'X-Real-IP': '1.2.3.4' },
      { Forwarded: 'for=1.2.3.4' },
      { 'CF-Connecting-IP': '1.2.3.4' },
    ]
    for (let time = 0; time < 10; time += 1) {
      await tryPassword(host, sent[time % sent.length] ?? {}).expect(401)
    }
    for (const headers of sent) await tryPassword(host, headers, right).expect(429)
    expect(host.failures).to.deep.equal([])
  })

  it('is named by that address too, whatever Express trusts: in events, the audit log and mails', async () => {
    // The limits went by the peer, but the owner's mail and the log named the address that the client wrote.
    const peer = '10.1.2.3'
    const { options, mails } = lostHost({ ignoreForwardedFor: true })
    const host = hostBehind({ ...options, trust: 'loopback, uniquelocal', peer })
    const enrolment = await enrol(host, member)
    const browser = await pendingBrowser(host, member)
    browser.set(forwarded('203.0.113.99'))
    const named: (string | null)[] = []
    host.secondStep.events.on('event', ({ ip }) => void named.push(ip))
    await giveCode(browser, wrongCodeOf(host, enrolment)).expect(401)
    await postJson(browser, '/second-step/lost', { email: member.email }).expect(202)
    await host.secondStep.close()
    expect(named).to.deep.equal([peer, peer])
    const logged = await host.store.audit?.list({ user: ann.id, cursor: null, limit: 100 })
    expect(new Set(logged?.entries.map(({ ip }) => ip))).to.deep.equal(new Set([peer]))
    const [mail] = mails.slice(-1)
    expect(mail?.text).to.include(peer).and.not.include('203.0.113.99')
  })
})

describe('a proxy that Express does not trust', () => {
  for (const peer of ['127.0.0.1', '::1', '10.1.2.3', 'fd00::1', '198.51.100.1', '2001:db8::1']) {
    it(`at ${peer} is noticed at the first login, and nobody uses up the tries of all`, async () => {
      const host = hostBehind({ peer })
      await tryPassword(host, forwarded('203.0.113.7'), right).expect(500)
      const [failure] = host.failures
      expect(failure).to.be.instanceOf(errors.ConfigurationError)
      expect(failure?.message).to.include("app.set('trust proxy'")
      expect(failure?.message).to.include('ignoreForwardedFor')
      for (let time = 0; time < 100; time += 1) {
        await tryPassword(host, forwarded('203.0.113.7'), { username: `user-${time}` }).expect(500)
      }
      // The host mends its setting. Nothing was counted against anybody.
      host.app.set('trust proxy', 1)
      await tryPassword(host, forwarded('203.0.113.8'), right).expect(302)
      await tryPassword(host, forwarded('203.0.113.7'), right).expect(302)
    })
  }

  it('is noticed where `trust proxy` names others', async () => {
    const host = hostBehind({ trust: 'loopback', peer: '10.1.2.3' })
    await tryPassword(host, forwarded('203.0.113.7'), right).expect(500)
    host.app.set('trust proxy', 'loopback, 10.1.2.3')
    await tryPassword(host, forwarded('203.0.113.7'), right).expect(302)
  })

  it('is noticed behind one that is trusted, where its address is a private one', async () => {
    const host = hostBehind({ trust: 1, peer: '10.0.0.1' })
    await tryPassword(host, forwarded('203.0.113.7, 10.0.0.2'), right).expect(500)
    expect(host.failures[0]?.message).to.include('10.0.0.2')
    host.app.set('trust proxy', 2)
    await tryPassword(host, forwarded('203.0.113.7, 10.0.0.2'), right).expect(302)
    // A visitor from elsewhere who sends the header is not a proxy of the host.
    host.app.set('trust proxy', 1)
    await tryPassword(host, forwarded('1.2.3.4, 203.0.113.7'), right).expect(302)
  })

  const unread = [
    ...['X-Real-IP', 'Forwarded', 'CF-Connecting-IP', 'True-Client-IP', 'X-Client-IP'],
    ...['X-Cluster-Client-IP', 'Fly-Client-IP', 'Fastly-Client-IP', 'X-Azure-ClientIP'],
  ]
  for (const name of unread) {
    it(`is noticed where it sends ${name}, which Express does not read`, async () => {
      for (const trust of [false, 1]) {
        const host = hostBehind({ peer: '10.1.2.3', trust })
        await tryPassword(host, { [name]: 'for=203.0.113.7' }, right).expect(500)
        expect(host.failures[0]?.message).to.include('X-Forwarded-For').and.include(name)
      }
      const both = { ...forwarded('203.0.113.7'), [name]: '203.0.113.7' }
      await tryPassword(hostBehind({ peer: '10.1.2.3', trust: 1 }), both, right).expect(302)
    })
  }

  const named = [
    ...['Via', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Forwarded-Port', 'X-Forwarded-Server'],
    ...['X-Forwarded-Scheme', 'X-Forwarded-Ssl', 'X-Forwarded-Prefix', 'Front-End-Https'],
  ]
  for (const trust of [false, 1]) {
    it(`is noticed where it tells of itself, and of no visitor: \`trust proxy\` ${trust}`, async () => {
      const host = hostBehind({ peer: '10.1.2.3', trust })
      for (const [index, name] of named.entries()) {
        await tryPassword(host, { [name]: '1.1 proxy' }, right).expect(500)
        expect(host.failures[index]?.message).to.include(`${name} and no X-Forwarded-For`)
      }
      // A client can write these headers, too: nobody else's requests fail by it.
      await tryPassword(host, {}, right).expect(302)
      host.app.set('trust proxy', 1)
      const whole = { ...forwarded('203.0.113.7'), 'X-Forwarded-Proto': 'https', Via: '1.1 proxy' }
      await tryPassword(host, whole, right).expect(302)
    })
  }

  it('is noticed at a Unix socket, where nobody has an address', async () => {
    const host = hostBehind({ peer: '' })
    await tryPassword(host, {}, right).expect(500)
    await tryPassword(host, forwarded('203.0.113.7'), right).expect(500)
    for (const { message } of host.failures) expect(message).to.include("app.set('trust proxy'")
    host.app.set('trust proxy', 1)
    await tryPassword(host, forwarded('203.0.113.7'), right).expect(302)
  })
})

describe('a `trust proxy` that trusts everybody', () => {
  // Then the first address of the header counts, and whoever writes another one each time has no limit.
  const halves = '0.0.0.0/1, 128.0.0.0/1'
  for (const trust of [true, () => true, halves, '2000::/3, 10.0.0.0/8', 50]) {
    it(`is refused: ${String(trust)}`, async () => {
      const host = hostBehind({ trust, peer: '10.1.2.3' })
      await tryPassword(host, forwarded('203.0.113.7'), right).expect(500)
      expect(host.failures[0]?.message).to.include('trust proxy').and.include('number of proxies')
      const ignoring = hostBehind({ trust, options: { ignoreForwardedFor: true } })
      await tryPassword(ignoring, forwarded('203.0.113.7'), right).expect(500)
    })
  }

  it('lets requests pass that nobody has forwarded', async () => {
    await tryPassword(hostBehind({ trust: true }), {}, right).expect(302)
    const user = { username: 'bob', password: bob.password }
    await tryPassword(hostBehind({ trust: true }), {}, user).expect(302)
  })
})

// The attack: where codes have no limit per address, nothing noticed the setting. A thief wrote the owner's own address into
// the header, and the owner's mail and the log named it.
describe('an address that a client may have chosen', () => {
  const peer = '10.1.2.3'
  const chosen: Readonly<Record<string, Proxied & { readonly sent: string }>> = {
    'behind a `trust proxy` that trusts everybody': { trust: true, sent: '203.0.113.99' },
    'past a proxy that is counted': { trust: 2, sent: '203.0.113.99' },
  }
  for (const [how, { sent, trust }] of Object.entries(chosen)) {
    it(`is named nowhere, and the operator hears why: ${how}`, async () => {
      const host = hostBehind({ trust, peer, options: { ipLimit: false } })
      const enrolment = await enrol(host, ann)
      const browser = await pendingBrowser(host)
      const named: (string | null)[] = []
      host.secondStep.events.on('event', ({ ip }) => void named.push(ip))
      const said = await warningsDuring(async () => {
        const wrong = giveCode(browser, wrongCodeOf(host, enrolment))
        await wrong.set(forwarded(sent)).expect(401)
        host.system.advance(MINUTE)
        await giveCode(browser, enrolment.code()).expect(200)
      })
      expect(named).to.deep.equal([null, peer])
      expect(said.join()).to.include('`trust proxy`')
    })
  }
})

describe('a `trust proxy` of more proxies than there are', () => {
  // A client behind one proxy of two that are trusted writes the address that it is counted under.
  it('is noticed at the first login that comes through fewer', async () => {
    const host = hostBehind({ trust: 2, peer: '10.1.2.3' })
    await tryPassword(host, forwarded('203.0.113.7'), right).expect(500)
    const [failure] = host.failures
    expect(failure).to.be.instanceOf(errors.ConfigurationError)
    expect(failure?.message)
      .to.include('trust proxy')
      .and.include('counts 2')
      .and.include('came through 1')
    host.app.set('trust proxy', 1)
    await tryPassword(host, forwarded('203.0.113.7'), right).expect(302)
  })

  it('is noticed at the first login from the internet where there is none', async () => {
    const host = hostBehind({ trust: 1, peer: '203.0.113.7' })
    await tryPassword(host, {}, right).expect(500)
    const ignoring = { ignoreForwardedFor: true }
    await tryPassword(
      hostBehind({ trust: 1, peer: '203.0.113.7', options: ignoring }),
      {},
      right,
    ).expect(500)
    host.app.set('trust proxy', false)
    await tryPassword(host, {}, right).expect(302)
  })

  it('lets visitors of the inside pass, who come through fewer', async () => {
    await tryPassword(hostBehind({ trust: 1, peer: '10.1.2.3' }), {}, right).expect(302)
    await tryPassword(hostBehind({ trust: 1, peer: '::1' }), {}, right).expect(302)
    const inside = hostBehind({ trust: 2, peer: '10.1.2.3' })
    await tryPassword(inside, forwarded('10.4.5.6'), right).expect(302)
  })
})
