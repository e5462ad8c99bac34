import { expect } from 'chai'
import type { AnnouncedEvent } from '../../../lib/index.js'
import { getJson, postJson } from '../../support/answers.js'
import { browserOf, enrol, giveCode, JSON_TYPE, passFirstStep } from '../../support/browser.js'
import { ann, type Host, type HostOptions, makeHost } from '../../support/host.js'
import { authenticatorOf } from '../../support/records.js'
import {
  enrolledVisit,
  missTimes,
  pendingBrowser,
  pendingVisit,
  recordOf,
  wrongCodeOf,
} from '../../support/visits.js'

/** What is announced from now on. */
function listenTo({ secondStep }: Host): AnnouncedEvent[] {
  const heard: AnnouncedEvent[] = []
  secondStep.events.on('event', (event) => heard.push(event))
  return heard
}

const kinds = (heard: readonly AnnouncedEvent[]) => heard.map(({ type, method }) => [type, method])

describe('secondStep.events', () => {
  it('have type, user, time and origin', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    const heard = listenTo(host)
    const agent = 'Mozilla/5.0 (X11)'
    const post = browser.post('/second-step/challenge').set('User-Agent', agent)
    await post.set('Accept', JSON_TYPE).send({ code: enrolment.code() }).expect(200)
    expect(heard).to.deep.equal([
      {
        type: 'code-accepted',
        actor: { kind: 'user', id: 'ann' },
        user: 'ann',
        method: 'totp',
        at: new Date(host.system.now()),
        ip: '127.0.0.1',
        userAgent: agent,
        reason: null,
        detail: null,
      },
    ])
  })

  it('come under their type and under "event"', async () => {
    const visit = await pendingVisit()
    const byType: AnnouncedEvent[] = []
    visit.host.secondStep.events.on('wrong-code', (event) => byType.push(event))
    const all = listenTo(visit.host)
    await missTimes(1, visit)
    await giveCode(visit.browser, visit.enrolment.code()).expect(200)
    expect(kinds(byType)).to.deep.equal([['wrong-code', 'totp']])
    expect(kinds(all)).to.deep.equal([
      ['wrong-code', 'totp'],
      ['code-accepted', 'totp'],
    ])
  })

  it('tell of a set-up, the codes put away, the log-out and the end of all sessions', async () => {
    const host = makeHost()
    const heard = listenTo(host)
    const browser = browserOf(host)
    await enrol(host, ann, browser)
    await postJson(browser, '/second-step/backup-codes/saved').expect(200)
    await browser.post('/logout').expect(200)
    await host.secondStep.passwordChanged('ann')
    await host.secondStep.endSessions('ann')
    expect(kinds(heard)).to.deep.equal([
      ['enrolled', 'totp'],
      ['backup-codes-saved', null],
      ['logged-out', 'totp'],
      ['password-changed', null],
      ['sessions-ended', null],
    ])
    expect(heard.at(-1)).to.include({ ip: null, userAgent: null })
  })

  it('tell of a pending login that is used up, and of a lock', async () => {
    const visit = await pendingVisit()
    const heard = listenTo(visit.host)
    await missTimes(5, visit)
    await giveCode(visit.browser, visit.enrolment.code()).expect(401)
    expect(kinds(heard).slice(-1)).to.deep.equal([['pending-login-used-up', null]])
    await visit.host.secondStep.passwordChanged('ann')
    for (let round = 0; round < 5; round += 1) {
      const browser = await pendingBrowser(visit.host)
      await missTimes(4, { ...visit, browser })
      if (round < 4) await giveCode(browser, visit.enrolment.backupCodes[round]).expect(200)
    }
    const locks = heard.filter(({ type }) => type === 'authenticator-locked')
    expect(kinds(locks)).to.deep.equal([['authenticator-locked', 'totp']])
  })

  it('are not emitted if nothing changed', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    const code = enrolment.code()
    await giveCode(browser, code).expect(200)
    const again = await pendingBrowser(host)
    const heard = listenTo(host)
    await giveCode(again, code).expect(401)
    await giveCode(again, 'what?').expect(400)
    await getJson(again, '/second-step/challenge').expect(200)
    expect(heard).to.deep.equal([])
  })

  it('are emitted only after the write', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    const heard = listenTo(host)
    const stored: number[] = []
    host.secondStep.events.on('event', () => {
      stored.push(written)
    })
    let written = 0
    const write = host.store.write
    host.store.write = () => Promise.reject(new Error('disk full'))
    await giveCode(browser, enrolment.code()).expect(503)
    await giveCode(browser, wrongCodeOf(host, enrolment)).expect(503)
    expect(heard).to.deep.equal([])
    host.store.write = async (record, version) => {
      const won = await write(record, version)
      written += 1
      return won
    }
    await giveCode(browser, wrongCodeOf(host, enrolment)).expect(401)
    await giveCode(browser, enrolment.code()).expect(200)
    expect(stored).to.deep.equal([1, 2])
  })

  it('are emitted once, even if a lost race repeats the decision', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    const heard = listenTo(host)
    const write = host.store.write
    let lost = 3
    host.store.write = async (record, version) => {
      if (lost === 0) return write(record, version)
      lost -= 1
      return false
    }
    await giveCode(browser, enrolment.code()).expect(200)
    expect(kinds(heard)).to.deep.equal([['code-accepted', 'totp']])
  })

  const failing: Record<string, () => unknown> = {
    throws: () => {
      throw new Error('the log is full')
    },
    rejects: async () => {
      throw new Error('the log is full')
    },
  }
  for (const [how, listener] of Object.entries(failing)) {
    it(`harm nobody where a listener ${how}, and reach the others all the same`, async () => {
      // A log that is full must not turn a written answer into an error, or end the process.
      const { host, browser, enrolment } = await pendingVisit()
      const warned = nextWarning('a listener of secondStep.events')
      for (const name of ['event', 'code-accepted'] as const) {
        host.secondStep.events.on(name, listener)
      }
      const heard = listenTo(host)
      host.secondStep.events.on('code-accepted', (event) => heard.push(event))
      await giveCode(browser, enrolment.code()).expect(200)
      await browser.get('/inside').expect(200)
      const accepted = ['code-accepted', 'totp']
      expect(kinds(heard)).to.deep.equal([accepted, accepted])
      expect(await warned).to.include('the log is full')
    })
  }

  it('hold no code and no secret', async () => {
    const host = makeHost()
    const heard = listenTo(host)
    const enrolment = await enrol(host, ann)
    const browser = await pendingBrowser(host)
    const [right, wrong] = [enrolment.code(), wrongCodeOf(host, enrolment)]
    await giveCode(browser, wrong).expect(401)
    await giveCode(browser, right).expect(200)
    await giveCode(await pendingBrowser(host), enrolment.backupCodes[0]).expect(200)
    const told = JSON.stringify(heard)
    const authenticator = authenticatorOf(await recordOf(host))
    for (const secret of [right, wrong, enrolment.secret, authenticator?.secret ?? '']) {
      expect(told).to.not.include(secret)
    }
    expect(told).to.not.include(enrolment.backupCodes[0])
  })

  it('have the visitor’s address behind a trusted proxy, and a bounded user agent', async () => {
    const options: HostOptions = { beforeGuard: ({ app }) => app.set('trust proxy', 1) }
    const { host, browser, enrolment } = await enrolledVisit(options)
    const heard = listenTo(host)
    await passFirstStep(browser, ann).expect(200)
    const headers = { 'X-Forwarded-For': '2001:db8::7', 'User-Agent': 'x'.repeat(5000) }
    const post = browser.post('/second-step/challenge').set({ ...headers, Accept: JSON_TYPE })
    await post.send({ code: enrolment.code() }).expect(200)
    expect(heard[0]?.ip).to.equal('2001:db8::7')
    expect(heard[0]?.userAgent).to.have.length(256)
  })

  it('come once to a listener that wants one', async () => {
    const visit = await pendingVisit()
    const heard: AnnouncedEvent[] = []
    visit.host.secondStep.events.once('wrong-code', (event) => heard.push(event))
    await missTimes(2, visit)
    expect(kinds(heard)).to.deep.equal([['wrong-code', 'totp']])
  })
})

function nextWarning(beginning: string): Promise<string> {
  return new Promise((resolve) => {
    process.on('warning', function listen({ message }) {
      if (!message.startsWith(beginning)) return
      process.off('warning', listen)
      resolve(message)
    })
  })
}
