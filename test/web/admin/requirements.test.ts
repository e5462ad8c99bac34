// Who may ask for which admin route: the host's own check lets every user with the role through, and
// the rest is ours.

import { expect } from 'chai'
import type { RequestHandler } from 'express'
import { ADMIN, ada, adminVisit, PEOPLE, putJson, usersOf } from '../../support/admin.js'
import {
  expectProblem,
  expectSafeHeaders,
  getJson,
  getPage,
  postJson,
} from '../../support/answers.js'
import {
  type Browser,
  browserOf,
  enrol,
  giveCode,
  HTML,
  JSON_TYPE,
  passFirstStep,
  signIn,
} from '../../support/browser.js'
import { MINUTE } from '../../support/clock.js'
import { EARLY_ENDS, LAST_BYTE } from '../../support/early-end.js'
import { ann, type Host, type HostUser, makeHost } from '../../support/host.js'
import { park } from '../../support/parked.js'
import { authenticatorOf, DAY } from '../../support/records.js'
import { cookieOf, useCookie } from '../../support/sessions.js'
import { recordOf, setPolicy } from '../../support/visits.js'

type Method = 'get' | 'post' | 'put'

const GETS: readonly [Method, string][] = [
  ['get', '/'],
  ['get', '/users'],
  ['get', '/users/ann'],
  ['get', '/policy'],
  ['get', '/events'],
]
const CHANGES: readonly [Method, string][] = [
  ...['disable', 'pause', 'resume', 'reset', 'backup-codes'].map((action): [Method, string] => [
    'post',
    `/users/ann/${action}`,
  ]),
  ...['one-time-code', 'unlock', 'end-sessions', 'token', 'note', 'remind'].map(
    (action): [Method, string] => ['post', `/users/ann/${action}`],
  ),
  ['post', '/bulk'],
  ['put', '/policy'],
  ['post', '/policy'],
]

/** A body with which every change would be made. */
const TOKEN = { type: 'totp', serial: 'A-1', secret: '00'.repeat(20) }
const BODY = { days: 3, mode: 'required', reason: 'noted', ...TOKEN }
const bodyFor = (path: string) => {
  if (path === '/bulk') return { ids: ['ann'], action: 'end-sessions' }
  return path === '/policy'
    ? { mode: BODY.mode }
    : { days: BODY.days, reason: BODY.reason, ...TOKEN }
}

function ask(browser: Browser, [method, path]: [Method, string], face = JSON_TYPE) {
  const request = browser[method](`${ADMIN}${path}`).set('Accept', face)
  if (method === 'get') return request
  const form =
    path === '/policy' || path === '/bulk'
      ? new URLSearchParams(
          path === '/policy' ? { mode: 'required' } : { ids: 'ann', action: 'reset' },
        ).toString()
      : `days=3&reason=noted&type=totp&serial=A-1&secret=${TOKEN.secret}`
  return face === HTML ? request.type('form').send(form) : request.send(bodyFor(path))
}

/** A host without a check of its own in front: what is refused, the package refuses. */
function openHost(people: readonly HostUser[] = PEOPLE, allow = false): Host {
  const letAll: RequestHandler = (_req, _res, next) => next()
  return makeHost({
    users: people,
    options: { users: usersOf(people), roles: ['user', 'admin'] },
    mount: ({ app, secondStep }) =>
      void app.use(ADMIN, letAll, secondStep.adminRouter({ allow: () => allow })),
  })
}

interface Visit {
  readonly host: Host
  readonly browser: Browser
}

/** Is let in by `allow`, has a second step, and was asked for no code. */
async function staffUnderModeOff() {
  const staff = { ...ada, roles: ['user'] }
  const host = openHost([staff, ...PEOPLE.filter(({ id }) => id !== staff.id)], true)
  const enrolment = await enrol(host, staff)
  await setPolicy(host, { mode: 'off' })
  const browser = browserOf(host)
  await passFirstStep(browser, staff)
  return { host, browser, enrolment }
}

async function withAnn(visit: Visit): Promise<Visit> {
  await enrol(visit.host, ann)
  return visit
}

const SET_UP = ['setup-required', 403, '/second-step/setup'] as const
const STALE = ['fresh-code-required', 403, '/second-step/fresh'] as const
const FORBIDDEN = ['forbidden', 403] as const
type Refusal = readonly [code: string, status: number, next?: string]

/** A visitor, and the answer at pages and lists, and at changes. Null: they are let in. */
const visitors: Record<string, [() => Promise<Visit>, Refusal | null, Refusal | null]> = {
  anonymous: [
    async () => {
      const host = openHost()
      return withAnn({ host, browser: browserOf(host) })
    },
    ['not-signed-in', 401],
    ['not-signed-in', 401],
  ],
  'pending, code': [
    async () => {
      const host = openHost()
      await enrol(host, ada)
      const browser = browserOf(host)
      await passFirstStep(browser, ada)
      return withAnn({ host, browser })
    },
    ['code-required', 401],
    ['code-required', 401],
  ],
  'pending, set-up': [
    async () => {
      const host = openHost()
      await enrol(host, ann)
      await setPolicy(host, { mode: 'required' })
      const browser = browserOf(host)
      await passFirstStep(browser, ada)
      return { host, browser }
    },
    SET_UP,
    SET_UP,
  ],
  'signed in, not enrolled': [
    async () => {
      const host = openHost()
      const browser = browserOf(host)
      await passFirstStep(browser, ada)
      return withAnn({ host, browser })
    },
    SET_UP,
    SET_UP,
  ],
  'enrolled, and paused': [
    async () => {
      const visit = await adminVisit()
      const record = await recordOf(visit.host, 'ada')
      const paused = { ...record, pausedUntil: visit.host.system.now() + DAY, writeId: 'paused' }
      await visit.host.store.write({ ...paused, version: record.version + 1 }, record.version)
      return withAnn(visit)
    },
    FORBIDDEN,
    FORBIDDEN,
  ],
  'enrolled, and asked for a code although the mode is off': [
    async () => {
      const host = openHost()
      await enrol(host, ada)
      await setPolicy(host, { mode: 'off' })
      const browser = browserOf(host)
      await passFirstStep(browser, ada)
      return withAnn({ host, browser })
    },
    ['code-required', 401],
    ['code-required', 401],
  ],
  'enrolled, no admin but let in by `allow`, and asked for no code under mode off': [
    async () => {
      const { host, browser } = await staffUnderModeOff()
      return withAnn({ host, browser })
    },
    STALE,
    STALE,
  ],
  'enrolled, with a code that is not fresh': [
    async () => {
      const visit = await withAnn(await adminVisit())
      visit.host.system.advance(5 * MINUTE)
      return visit
    },
    null,
    STALE,
  ],
  'enrolled, with a fresh code': [async () => withAnn(await adminVisit()), null, null],
}

for (const [who, [arrive, atGets, atChanges]] of Object.entries(visitors)) {
  describe(`a visitor of the admin routes who is ${who}`, () => {
    let host: Host
    let browser: Browser
    let before: unknown
    const stateOf = async () => {
      const { version: _, writeId: __, ...record } = await recordOf(host)
      return [record, (await host.store.findPolicy())?.mode]
    }

    beforeEach(async () => {
      ;({ host, browser } = await arrive())
      before = await stateOf()
    })

    for (const route of [...GETS, ...CHANGES]) {
      const refusal = GETS.includes(route) ? atGets : atChanges
      const name = `${route[0].toUpperCase()} ${route[1]}`
      const refused = refusal === null ? 'gets' : `is told ${refusal[0]} at`

      it(`${refused} ${name}, in JSON`, async () => {
        const response = await ask(browser, route)
        expectSafeHeaders(response)
        if (refusal === null) expect(response.status, response.text).to.equal(200)
        else {
          expectProblem(response, ...refusal)
          expect(await stateOf()).to.deep.equal(before)
        }
      })

      it(`${refused} ${name}, on a page`, async () => {
        const response = await ask(browser, route, HTML)
        expectSafeHeaders(response)
        if (refusal === null) {
          expect(response.status, response.text).to.be.oneOf([200, 303])
          return
        }
        const [, status, next] = refusal
        expect([response.status, response.type]).to.deep.equal([status, 'text/html'])
        if (next !== undefined) expect(response.text).to.include(`href="${next}"`)
        if (atGets !== null) expect(response.text).to.not.include('ann')
        expect(await stateOf()).to.deep.equal(before)
      })
    }

    it('finds nothing else', async () => {
      for (const [method, path] of [
        ...(['/nothing', '/users/ann/tokens', '/users/ann/enable'] as const).map(
          (path) => ['post', path] as const,
        ),
        ['put', '/users/ann'] as const,
        ['delete', '/users/ann'] as const,
        ['patch', '/policy'] as const,
        ['post', '/users'] as const,
        ['get', '/users/ann/disable'] as const,
      ]) {
        const response = await browser[method](`${ADMIN}${path}`).set('Accept', JSON_TYPE)
        expectProblem(response, 'not-found', 404)
      }
      expect(await stateOf()).to.deep.equal(before)
    })
  })
}

describe('An enforcement', () => {
  it('can’t be switched on by an admin who has no second step', async () => {
    // n8n, Capgo CVE-2026-56212: an admin required a second step of everybody without having one, and got in all the same.
    const host = openHost()
    const browser = browserOf(host)
    await passFirstStep(browser, ada)
    const put = () => browser.put(`${ADMIN}/policy`).set('Accept', JSON_TYPE)
    expectProblem(await put().send({ mode: 'required' }), ...SET_UP)
    expect(await host.store.findPolicy()).to.equal(null)
    const other = browserOf(host)
    await signIn(other, ada, await enrol(host, ada))
    await putJson(other, `${ADMIN}/policy`, { mode: 'required' }).expect(200)
    expect((await host.store.findPolicy())?.mode).to.equal('required')
  })
})

describe('A user whom `allow` lets in under mode off', () => {
  it('gives a code, and is led back to the page that they asked for', async () => {
    const { browser, enrolment } = await staffUnderModeOff()
    await browser.get(`${ADMIN}/events?user=ann`).set('Accept', HTML).expect(403)
    const { body } = await postJson(browser, '/second-step/fresh', { code: enrolment.code() })
    expect(body.next).to.equal(`${ADMIN}/events?user=ann`)
    await getJson(browser, `${ADMIN}/users`).expect(200)
  })
})

describe('An admin whose code is not fresh', () => {
  for (const page of [`${ADMIN}/users/ann`, `${ADMIN}/policy`]) {
    it(`is led from ${page} to a code, and back`, async () => {
      const { host, browser, enrolment } = await adminVisit()
      await enrol(host, ann)
      host.system.advance(5 * MINUTE)
      const { text } = await getPage(browser, page).expect(200)
      expect(text).to.include('href="/second-step/fresh"')
      const { body } = await postJson(browser, '/second-step/fresh', { code: enrolment.code() })
      expect(body.next).to.equal(page)
      expect((await getPage(browser, page)).text).to.not.include('href="/second-step/fresh"')
    })
  }
})

describe('A page or list', () => {
  for (const [, path] of GETS) {
    it(`waits for no body: GET ${path}`, async () => {
      // A stolen session held the body back until its owner had ended it, and was answered all the same.
      const { host, cookie } = await adminWithCookie()
      const parked = await park(host, `${ADMIN}${path}`, { cookie, like: BODY, method: 'GET' })
      expect((await parked.answer).status, 'while the session is good').to.equal(200)
      await host.secondStep.endSessions('ada')
      const late = await useCookie(browserOf(host), cookie).get(`${ADMIN}${path}`).send(BODY)
      expect(late.status).to.equal(401)
    })
  }
})

/** Ada with a fresh code, and the session's cookie. The host reads its users anew for each request. */
async function adminWithCookie(people: readonly HostUser[] = PEOPLE) {
  const host = openHost(people)
  await enrol(host, ann)
  const { code } = await enrol(host, ada)
  const browser = browserOf(host)
  await passFirstStep(browser, ada)
  return { host, cookie: cookieOf(await giveCode(browser, code()).expect(200)) }
}

describe('A change whose body comes late', () => {
  const endings: Record<string, [(host: Host) => Promise<unknown>, string]> = {
    'a new rule accepts no codes like the admin’s': [
      (host) => setPolicy(host, { accepts: { admin: ['hotp'] } }),
      'sign-in-again',
    ],
    'the admin’s sessions were ended': [
      (host) => host.secondStep.endSessions('ada'),
      'sign-in-again',
    ],
    'the code is not fresh any more': [
      async (host) => host.system.advance(5 * MINUTE),
      'fresh-code-required',
    ],
    'the admin was paused': [
      async (host) => {
        const record = await recordOf(host, 'ada')
        const pausedUntil = host.system.now() + DAY
        const paused = { ...record, pausedUntil, version: record.version + 1, writeId: 'paused' }
        await host.store.write(paused, record.version)
      },
      'forbidden',
    ],
  }
  for (const [name, [end, refusal]] of Object.entries(endings)) {
    it(`is refused where ${name} meanwhile`, async () => {
      // A stolen session holds the body of a request back until its owner has ended it.
      const { host, cookie } = await adminWithCookie()
      const body = { reason: 'because' }
      const parked = await park(host, `${ADMIN}/users/ann/disable`, { cookie, like: body })
      await end(host)
      const answer = await parked.finish(body)
      expect(answer.body.code).to.equal(refusal)
      expect(authenticatorOf(await recordOf(host))).to.not.equal(null)
    })

    it(`is refused where ${name} meanwhile, and its parser ends before its body`, async () => {
      const { host, cookie } = await adminWithCookie()
      const packed = EARLY_ENDS.gzip
      if (packed === undefined) throw new Error('gzip')
      const enough = packed.enough({ reason: 'because' })
      const like = Buffer.concat([enough, LAST_BYTE])
      const path = `${ADMIN}/users/ann/disable`
      const parked = await park(host, path, { cookie, like, headers: packed.headers })
      await end(host)
      parked.write(enough)
      expect((await parked.answer).body.code).to.equal(refusal)
      expect(authenticatorOf(await recordOf(host))).to.not.equal(null)
    })
  }

  const losses: Record<string, [(people: HostUser[]) => void, string, number]> = {
    'the admin has lost the role': [
      (people) => void people.splice(0, 1, { ...ada, roles: ['user'] }),
      'forbidden',
      403,
    ],
    'the admin’s account is gone': [(people) => void people.splice(0, 1), 'sign-in-again', 401],
  }
  for (const [name, [lose, code, status]] of Object.entries(losses)) {
    for (const [method, path] of CHANGES.filter(([method]) => method === 'post')) {
      it(`is refused where ${name} meanwhile, at ${method.toUpperCase()} ${path}`, async () => {
        // An admin who is about to be dismissed sends the header of a request, which passes the host's
        // own check, and holds its body back until the dismissal.
        const people = [...PEOPLE]
        const { host, cookie } = await adminWithCookie(people)
        const body = bodyFor(path)
        const parked = await park(host, `${ADMIN}${path}`, { cookie, like: body })
        const before = await recordOf(host)
        lose(people)
        const answer = await parked.finish(body)
        expect([answer.status, answer.body.code]).to.deep.equal([status, code])
        expect(await recordOf(host)).to.deep.equal(before)
        expect(await host.store.findPolicy()).to.equal(null)
      })
    }
  }

  it('is a 503 where nobody can say whether the admin is one', async () => {
    const users = { ...usersOf(PEOPLE) }
    const { host, browser } = await adminVisit({ users })
    await enrol(host, ann)
    users.findById = async () => {
      throw new Error('away')
    }
    const answer = await putJson(browser, `${ADMIN}/policy`, { mode: 'required' })
    expectProblem(answer, 'unavailable', 503)
    expect(await host.store.findPolicy()).to.equal(null)
  })

  it('passes canAdminister the admin as the host has them now', async () => {
    // A host that goes by what the user may do, not by the package's roles.
    const people = [...PEOPLE]
    const asked: unknown[] = []
    const { browser } = await adminVisit({
      users: usersOf(people),
      canAdminister: ({ name }) => asked.push(name) > 0,
    })
    people.splice(0, 1, { ...ada, name: 'Ada, on leave' })
    await postJson(browser, `${ADMIN}/users/ann/end-sessions`).expect(200)
    expect(asked).to.deep.equal(['Ada, on leave'])
  })
})
