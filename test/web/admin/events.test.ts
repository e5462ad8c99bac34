import { expect } from 'chai'
import type { AdminVerdict } from '../../../lib/domain/administration.js'
import { EVENT_TYPES } from '../../../lib/domain/event-kind.js'
import { LANGUAGES, loadMessages } from '../../../lib/text/messages.js'
import { ADMIN, adminVisit } from '../../support/admin.js'
import {
  expectProblem,
  expectSafeHeaders,
  getJson,
  getPage,
  postJson,
} from '../../support/answers.js'
import { type Browser, enrol } from '../../support/browser.js'
import { ann, bob, type Host } from '../../support/host.js'

const EVENTS = `${ADMIN}/events`

async function allPages(browser: Browser, query: string): Promise<readonly string[]> {
  const ids: string[] = []
  let cursor = ''
  for (let page = 0; page < 100; page += 1) {
    const { body } = await getJson(browser, `${EVENTS}?${query}${cursor}`).expect(200)
    ids.push(...body.events.map(({ id }: { id: string }) => id))
    if (body.next === null) return ids
    cursor = `&cursor=${encodeURIComponent(body.next)}`
  }
  throw new Error('the events have no end')
}

let appended = 0

/** Writes an entry that no version of ours would, with an id of its own: a database insists. */
async function append(host: Host, more: object): Promise<void> {
  appended += 1
  const entry = {
    id: `${'f'.repeat(20)}${String(appended).padStart(10, '0')}`,
    at: host.system.now(),
    type: 'enrolled' as const,
    actor: { kind: 'user' as const, id: 'ann' },
    user: 'ann',
    method: null,
    ip: null,
    userAgent: null,
    reason: null,
    detail: null,
    ...more,
  }
  await host.store.audit?.append([entry])
}

describe('GET /events', () => {
  it('has what happened, newest first, under the host’s ids', async () => {
    const { host, browser } = await adminVisit({ realm: 'shop' })
    await enrol(host, ann)
    await postJson(browser, `${ADMIN}/users/ann/disable`, { reason: 'left' }).expect(200)
    const answer = await getJson(browser, EVENTS).expect(200)
    expectSafeHeaders(answer)
    const [last] = answer.body.events
    const { id, ip, userAgent, ...rest } = last
    expect(id).to.be.a('string')
    expect(ip).to.include('127.0.0.1')
    expect(userAgent).to.equal(null)
    expect(rest).to.deep.equal({
      at: new Date(host.system.now()).toISOString(),
      type: 'disabled',
      actor: { kind: 'admin', id: 'ada' },
      user: 'ann',
      method: null,
      reason: 'left',
      detail: null,
    })
  })

  it('filters by user and pages', async () => {
    const { host, browser } = await adminVisit()
    await enrol(host, ann)
    await enrol(host, bob)
    const { body } = await getJson(browser, `${EVENTS}?user=bob`).expect(200)
    expect(body.events.map(({ user }: { user: string }) => user)).to.deep.equal(['bob'])
    const everything = await allPages(browser, 'limit=100')
    expect(everything).to.have.length.above(3)
    expect(await allPages(browser, 'limit=1')).to.deep.equal(everything)
    expect((await getJson(browser, `${EVENTS}?user=nobody`)).body.events).to.deep.equal([])
  })

  it('shows no admin of another realm, even for events about no single user', async () => {
    // Two apps with one audit log: the admins of one could read who administers the other.
    const { host, browser } = await adminVisit({ realm: 'shop' })
    const staff = { kind: 'admin', id: 'staff:boss' } as const
    const refusal = { type: 'change-refused', detail: { action: 'policy', code: 'forbidden' } }
    await append(host, { ...refusal, user: null, actor: staff })
    await append(host, { id: 'e'.repeat(30), type: 'policy-changed', user: null, actor: staff })
    const { body, text } = await getJson(browser, EVENTS).expect(200)
    expect(text).to.not.include('boss')
    expect(body.events.map(({ type }: { type: string }) => type)).to.deep.equal([
      'policy-changed',
      'code-accepted',
      'enrolled',
    ])
    const [operator, ours] = [
      { kind: 'operator', id: null },
      { kind: 'admin', id: 'shop:otto' },
    ]
    await append(host, { id: 'd'.repeat(30), ...refusal, user: null, actor: operator })
    await append(host, { id: 'c'.repeat(30), ...refusal, user: null, actor: ours })
    const shown = await getJson(browser, EVENTS).expect(200)
    const refused = shown.body.events.filter(
      ({ type }: { type: string }) => type !== 'policy-changed',
    )
    const actors = refused.slice(0, 2).map(({ actor }: { actor: object }) => actor)
    expect(actors).to.have.deep.members([operator, { kind: 'admin', id: 'otto' }])
  })

  const odd = [
    ...['limit=0', 'limit=10000', 'limit=1e1', 'cursor=', 'cursor=made-up', 'cursor=a&cursor=b'],
    ...['user=a&user=b', `user=${'x'.repeat(300)}`, 'user=%00', 'user=[object+Object]'],
  ]
  for (const query of odd) {
    it(`refuses ${query.slice(0, 30)}, in JSON and on its page`, async () => {
      const { browser } = await adminVisit()
      expectProblem(await getJson(browser, `${EVENTS}?${query}`), 'malformed-request', 400)
      const page = await getPage(browser, `${EVENTS}?${query}`).expect(400)
      expect(page.text).to.include('Something is missing or mistyped')
    })
  }

  it('tells nothing that the list of fields does not name', async () => {
    const { host, browser } = await adminVisit()
    const planted = { secret: 'planted', until: 'x', changed: { mode: 'off', keys: 'planted' } }
    await append(host, { planted: 'planted', detail: planted })
    const { body, text } = await getJson(browser, EVENTS).expect(200)
    expect(text).to.not.include('planted')
    expect(body.events[0].detail).to.deep.equal({ until: 'x', changed: { mode: 'off' } })
  })

  it('shows a refusal that it has no text for without one', async () => {
    const { host, browser } = await adminVisit()
    await append(host, { type: 'change-refused', detail: { code: 'valueOf', action: 'toString' } })
    await append(host, { type: 'change-refused', detail: { code: 7, action: null } })
    const page = await getPage(browser, EVENTS).expect(200)
    expect(page.text.match(/<strong>Change refused<\/strong>/g)).to.have.length(2)
  })

  it('shows an event of a type that it has no text for, as it is', async () => {
    const { host, browser } = await adminVisit()
    await append(host, { type: 'constructor', reason: '<script>alert(1)</script>' })
    const page = await getPage(browser, EVENTS).expect(200)
    expect(page.text).to.include('<strong>constructor</strong>')
    expect(page.text.match(/<script/g)).to.have.length(1)
    await getPage(browser, `${ADMIN}/users/ann`).expect(200)
  })
})

describe('The pages with events', () => {
  it('say in words until when something holds, and why a change was refused', async () => {
    const { host, browser } = await adminVisit()
    await enrol(host, ann)
    await postJson(browser, `${ADMIN}/users/ann/pause`, { days: 'forever' }).expect(200)
    await postJson(browser, `${ADMIN}/users/ada/pause`, { days: 1 }).expect(403)
    const { text } = await getPage(browser, EVENTS).expect(200)
    expect(text).to.match(
      /Second step paused<\/strong> until an admin ends it · by an admin \(<bdi>Ada Admin<\/bdi> · <bdi>ada</,
    )
    expect(text).to.match(
      /Change refused: pause<\/strong> · by an admin \(<bdi>Ada Admin<\/bdi> · <bdi>ada</,
    )
    expect(text).to.include('</bdi></a> · The admin was not allowed to do this.')
    await postJson(browser, `${ADMIN}/users/ann/pause`, { days: 'x' }).expect(400)
    const again = await getPage(browser, EVENTS).expect(200)
    // "Please check what you entered" was said to the admin, not to whoever reads the log.
    expect(again.text).to.include('</bdi></a> · The input was not valid.')
    expect(again.text).to.not.include('Please check')
    await append(host, {
      type: 'paused',
      detail: { until: '<b>', code: '__proto__', action: 'toString' },
    })
    await getPage(browser, EVENTS).expect(200)
  })
})

describe('A refused change', () => {
  const why: Readonly<Record<Exclude<AdminVerdict, 'done'>, string>> = {
    'not-enrolled': 'The user had no second step.',
    'required-by-policy': 'The policy requires a second step of this user.',
    'switched-off': 'This was switched off.',
    'stronger-factor-required': 'A rule did not accept it.',
    'no-room': 'The user had as many devices as a user may have.',
    'serial-in-use': 'The serial number was in use.',
    'seed-in-use': 'This user, or another one, had a device with this seed already.',
    'not-found': 'There is no such user.',
  }

  it('of the command line has its reason, as one of the pages has', async () => {
    const { host, browser } = await adminVisit()
    const refused = Object.entries({ ...why, 'already-enrolled': why['no-room'] })
    for (const [code] of refused) {
      await append(host, { type: 'change-refused', detail: { action: 'token', code } })
    }
    const { text } = await getPage(browser, `${EVENTS}?user=ann`).expect(200)
    for (const [code, reason] of refused) {
      const told = refused.filter((other) => other[1] === reason).length
      expect(text.split(`· ${reason}`), code).to.have.length(told + 1)
    }
  })
})

describe('Every type of event', () => {
  for (const lang of LANGUAGES) {
    it(`has a text in ${lang}`, () => {
      const { t } = loadMessages().for([lang])
      for (const type of EVENT_TYPES) expect(t(`event.${type}`), type).to.match(/\p{L}/u)
    })
  }
})
