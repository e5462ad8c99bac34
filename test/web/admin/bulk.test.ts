import { EventEmitter, once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import express from 'express'
import { ADMIN, ada, adminVisit, PEOPLE, refusalsIn, usersOf } from '../../support/admin.js'
import {
  expectMalformed,
  expectProblem,
  expectSafeHeaders,
  getPage,
  postForm,
  postJson,
} from '../../support/answers.js'
import { browserOf, enrol, signIn } from '../../support/browser.js'
import { MINUTE, SECOND } from '../../support/clock.js'
import { ann, bob, type Host, type HostParts, type HostUser, makeHost } from '../../support/host.js'
import { recordOf, setPolicy } from '../../support/visits.js'

const BULK = `${ADMIN}/bulk`
const crowd: readonly HostUser[] = Array.from({ length: 70 }, (_, index) => ({
  ...ann,
  id: `u${index}`,
  name: `User ${index}`,
}))
const IDS = crowd.map(({ id }) => id)

/** As by a host that has forgotten its own check. */
const withoutCheck = ({ app, secondStep }: HostParts) =>
  void app.use(ADMIN, secondStep.adminRouter())

async function entriesOf(host: Host, type: string): Promise<readonly string[]> {
  const page = await host.store.audit?.list({ user: null, cursor: null, limit: 100 })
  return (page?.entries ?? []).flatMap((one) => (one.type === type ? [one.user ?? ''] : []))
}

describe('POST /bulk', () => {
  it('does to each what it would alone, and says who was refused, and why', async () => {
    const { host, browser } = await adminVisit({
      canAdminister: (_actor, { id }) => id !== 'otto',
    })
    await enrol(host, ann)
    const ids = ['ann', 'bob', 'ada', 'otto', 'nobody', 'ann']
    const answer = await postJson(browser, BULK, { ids, action: 'reset', reason: 'lost' })
    expect(answer.status).to.equal(200)
    expectSafeHeaders(answer)
    expect(answer.body).to.deep.equal({
      done: ['ann'],
      refused: [
        { id: 'bob', code: 'not-enrolled' },
        { id: 'ada', code: 'forbidden' },
        { id: 'otto', code: 'forbidden' },
        { id: 'nobody', code: 'not-found' },
      ],
    })
    expect((await recordOf(host, 'ann')).mustSetUp).not.to.equal(null)
    expect(await entriesOf(host, 'reset')).to.deep.equal(['ann'])
    const refusals = await refusalsIn(host)
    expect(refusals).to.have.length(4)
    const alike = (parts: object) =>
      refusals.filter((one) =>
        Object.entries(parts).every(([key, value]) => Reflect.get(one, key) === value),
      )
    expect(alike({ user: 'bob', action: 'reset', reason: 'lost' })).to.have.length(1)
    expect(alike({ user: null, code: 'not-found' })).to.have.length(1)
  })

  it('asks the policy for each', async () => {
    const { host, browser } = await adminVisit()
    for (const user of [ann, bob]) await enrol(host, user)
    await setPolicy(host, { mode: 'optional', roles: { user: 'required' } })
    const { body } = await postJson(browser, BULK, { ids: ['ann', 'bob'], action: 'disable' })
    expect(body).to.deep.equal({
      done: [],
      refused: ['ann', 'bob'].map((id) => ({ id, code: 'required-by-policy' })),
    })
    const paused = await postJson(browser, BULK, { ids: ['ann'], action: 'pause', days: 3 })
    expect(paused.body).to.deep.equal({ done: ['ann'], refused: [] })
  })

  // The attack: a stolen admin's session ends the second step of five hundred users by one request.
  it('goes no further than the limit of changes', async () => {
    const people = [...PEOPLE, ...crowd]
    const asked = new Set<string>()
    const users = usersOf(people)
    const findById: typeof users.findById = (id) => {
      asked.add(id)
      return users.findById(id)
    }
    const { host, browser } = await adminVisit({ users: { ...users, findById } })
    const { body } = await postJson(browser, BULK, { ids: IDS, action: 'end-sessions' })
    // Whoever is refused for the admin's sake costs no look at the user.
    expect([...asked].filter((id) => IDS.includes(id))).to.deep.equal(IDS.slice(0, 61))
    expect(body.done).to.deep.equal(IDS.slice(0, 60))
    expect(body.refused).to.deep.equal(
      IDS.slice(60).map((id) => ({ id, code: 'too-many-attempts' })),
    )
    expect(await entriesOf(host, 'sessions-ended')).to.have.members(IDS.slice(0, 60))
    expect(await entriesOf(host, 'too-many-changes')).to.have.length(1)
  })

  // The attack: a body that cannot be read is refused before anybody asks who sent it, and the page names users.
  it('shows no names to whoever is no admin, whatever is wrong with the body', async () => {
    const host = makeHost({
      users: PEOPLE,
      options: { users: usersOf(PEOPLE) },
      mount: withoutCheck,
      // In front of everything, as many apps do.
      beforeGuard: ({ app }) => app.use(express.urlencoded({ extended: true })),
    })
    const enrolment = await enrol(host, bob)
    const browser = browserOf(host)
    await signIn(browser, bob, enrolment)
    for (const reason of ['x'.repeat(501), 'x'.repeat(5000)]) {
      const body = new URLSearchParams({ action: 'reset', ids: 'ann', reason }).toString()
      const { status, text } = await postForm(browser, BULK, body)
      expect([reason.length, status >= 400]).to.deep.equal([reason.length, true])
      expect(text).not.to.contain('Ann')
    }
  })

  // The mistake: the host's own time-out has answered, and the changes go on where nobody sees them.
  it('stops once the host has answered for it', async () => {
    let answer = () => {}
    const asked: string[] = []
    const users = {
      ...usersOf([...PEOPLE, ...crowd]),
      findById: async (id: string) => {
        if (id === 'u1') answer()
        if (/^u\d/.test(id)) asked.push(id)
        return [...PEOPLE, ...crowd].find((one) => one.id === id) ?? null
      },
    }
    const { host, browser } = await adminVisit(
      { users },
      {
        beforeGuard: ({ app }) => {
          app.use(BULK, (_req, res, next) => {
            answer = () => void res.status(503).json({})
            next()
          })
        },
      },
    )
    await postJson(browser, BULK, { ids: IDS, action: 'end-sessions' }).expect(503)
    expect([...new Set(asked)]).to.deep.equal(['u0', 'u1'])
    expect(await entriesOf(host, 'sessions-ended')).not.to.include('u2')
  })

  // The attack: the admin's role is taken away while five hundred changes are made.
  it('stops with the admin', async () => {
    let asked = 0
    const users = {
      ...usersOf(PEOPLE),
      findById: async (id: string) => {
        if (id === 'bob') asked += 1
        const roles = asked > 0 ? ['user'] : ['admin']
        return id === 'ada' ? { ...ada, roles } : (PEOPLE.find((one) => one.id === id) ?? null)
      },
    }
    const { browser } = await adminVisit({ users })
    const { body } = await postJson(browser, BULK, {
      ids: ['bob', 'ann'],
      action: 'end-sessions',
    })
    expect(body.refused).to.deep.include({ id: 'ann', code: 'forbidden' })
    expect(body.done).not.to.include('ann')
  })

  it('needs a fresh code', async () => {
    const { host, browser } = await adminVisit()
    host.system.advance(6 * MINUTE)
    const body = { ids: ['bob'], action: 'end-sessions' }
    expectProblem(
      await postJson(browser, BULK, body),
      'fresh-code-required',
      403,
      '/second-step/fresh',
    )
    expect(await entriesOf(host, 'sessions-ended')).to.deep.equal([])
  })

  for (const [field, body] of [
    ['ids', { action: 'reset' }],
    ['ids', { action: 'reset', ids: [] }],
    ['ids', { action: 'reset', ids: 'ann' }],
    ['ids', { action: 'reset', ids: ['ann', 7] }],
    ['ids', { action: 'reset', ids: [''] }],
    ['ids', { action: 'reset', ids: Array.from({ length: 501 }, (_, index) => `${index}`) }],
    ['action', { ids: ['ann'] }],
    ['action', { ids: ['ann'], action: 'one-time-code' }],
    ['action', { ids: ['ann'], action: 'toString' }],
    ['days', { ids: ['ann'], action: 'pause' }],
    ['days', { ids: ['ann'], action: 'pause', days: 0 }],
    ['reason', { ids: ['ann'], action: 'reset', reason: 7 }],
  ] as const) {
    it(`refuses ${JSON.stringify(body).slice(0, 50)} as a whole`, async () => {
      const { host, browser } = await adminVisit()
      await enrol(host, ann)
      expectMalformed(await postJson(browser, BULK, body), field)
      expect((await recordOf(host, 'ann')).mustSetUp).to.equal(null)
    })
  }

  it('takes 500 ids as long as those of databases, and no more than 64 KB', async () => {
    const { browser } = await adminVisit()
    const ids = Array.from({ length: 500 }, (_, index) => `${'0'.repeat(60)}-${index}`)
    const { body } = await postJson(browser, BULK, { ids, action: 'resume' }).expect(200)
    expect(body.refused).to.have.length(500)
    const large = { ids: ['x'.repeat(70_000)], action: 'resume' }
    expectMalformed(await postJson(browser, BULK, large), null, 413)
    expectMalformed(await postJson(browser, `${ADMIN}/users/ann/resume`, { x: ids }), null, 413)
  })

  it('reports what it did where the user store fails on the way', async () => {
    const asked: string[] = []
    const users = {
      ...usersOf([...PEOPLE, ...crowd]),
      findById: async (id: string) => {
        asked.push(id)
        if (/^u\d/.test(id)) throw new Error('away')
        return PEOPLE.find((one) => one.id === id) ?? null
      },
    }
    const { browser } = await adminVisit({ users })
    const ids = ['ann', ...IDS.slice(0, 9)]
    const { body } = await postJson(browser, BULK, { ids, action: 'end-sessions' }).expect(200)
    expect(body.done).to.deep.equal(['ann'])
    expect(body.refused).to.deep.equal(ids.slice(1).map((id) => ({ id, code: 'unavailable' })))
    expect(asked.filter((id) => /^u\d/.test(id))).to.have.length(3)
  })
})

// The mistake: a user store that is silent every second time is waited for 250 times.
it('POST /bulk waits for silent parts no longer than a change of one user', async () => {
  let silences = 0
  const users = {
    ...usersOf([...PEOPLE, ...crowd]),
    findById: async (id: string) => {
      if (/^u\d*[02468]$/.test(id)) {
        silences += 1
        host.system.advance(SECOND)
        throw new Error('away')
      }
      return PEOPLE.find((one) => one.id === id) ?? null
    },
  }
  const { host, browser } = await adminVisit({ users })
  const ids = [...IDS.slice(1, 9), 'ann']
  const { body } = await postJson(browser, BULK, { ids, action: 'end-sessions' }).expect(200)
  const codes = ['not-found', ...ids.slice(1).map(() => 'unavailable')]
  expect(body.refused.map(({ code }: { code: string }) => code)).to.deep.equal(codes)
  expect(silences).to.equal(1)
})

describe('A change of several users whose browser does not wait', () => {
  const ids = ['ann', ...IDS.slice(0, 4)]
  const body = `action=end-sessions&${ids.map((id) => `ids=${id}`).join('&')}`

  /** Leaves at the first user of the crowd. Resolves when the session was asked for, or written, after that. */
  async function leave(logsOut: boolean) {
    let leaves = (): Promise<unknown> => Promise.resolve()
    const people = [...PEOPLE, ...crowd]
    const users = {
      ...usersOf(people),
      findById: async (id: string) => {
        if (id === 'u0') await leaves()
        return people.find((one) => one.id === id) ?? null
      },
    }
    const served = new EventEmitter()
    const { host, browser } = await adminVisit(
      { users },
      {
        beforeGuard: ({ app }) => {
          app.use(BULK, (_req, res, next) => {
            res.once('close', () => served.emit('left'))
            next()
          })
        },
      },
    )
    const { sessions } = host
    const [get, set] = [sessions.get.bind(sessions), sessions.set.bind(sessions)]
    const request = postForm(browser, BULK, body)
    leaves = async () => {
      leaves = () => Promise.resolve()
      const left = once(served, 'left')
      request.abort()
      await left
      if (logsOut) for (const id of Object.keys(sessionsIn(host))) sessions.destroy(id)
      sessions.get = (id, done) =>
        get(id, (...found) => {
          done(...found)
          if (!found[1]) served.emit('done')
        })
      sessions.set = (id, session, done) =>
        set(id, session, (error) => {
          done?.(error)
          served.emit('done')
        })
    }
    const done = once(served, 'done')
    request.end(() => undefined)
    await done
    await setImmediate()
    return { host, browser }
  }

  it('is told at the next look at the users: what was done, and what was not', async () => {
    const { host, browser } = await leave(false)
    expect(await entriesOf(host, 'sessions-ended')).to.have.members(['ann', 'u0'])
    const { text } = await getPage(browser, `${ADMIN}/users`).expect(200)
    expect(text).to.contain('done for 2 users.').and.contain('Not done for 3 users:')
    expect(text).to.contain('You left the page before').and.contain('Not begun.')
    expect(text).to.match(/name="ids" value="u1">(.|\n)*Try these again/)
  })

  // The attack: a slow change brings back the session of an admin who has signed out meanwhile.
  it('brings no session back that has ended', async () => {
    const { host } = await leave(true)
    expect(sessionsIn(host)).to.deep.equal({})
  })
})

function sessionsIn({ sessions }: Host): Readonly<Record<string, unknown>> {
  return Reflect.get(sessions, 'sessions')
}

describe('Several users in the page', () => {
  const form = (body: string) => `action=reset&${body}`

  it('are ticked, asked again, and reported once', async () => {
    const { host, browser } = await adminVisit()
    await enrol(host, ann)
    const { text: table } = await getPage(browser, `${ADMIN}/users`).expect(200)
    expect(table.match(/name="ids"/g)).to.have.length(3)
    const asked = await postForm(browser, BULK, form('ask=1&ids=ann&ids=bob')).expect(200)
    expect(asked.text).to.contain('Reset: 2 users</h1>').and.contain('<bdi>Ann</bdi>')
    expect((await recordOf(host, 'ann')).mustSetUp).to.equal(null)
    const done = await postForm(browser, BULK, form('ids=ann&ids=bob')).expect(303)
    expect(done.headers.location).to.equal(`${ADMIN}/users`)
    const { text } = await getPage(browser, `${ADMIN}/users`).expect(200)
    expect(text).to.contain('done for 1 user.').and.contain('Not done for 1 user:')
    expect(text)
      .to.contain('This user has no second step.')
      .and.match(/done for 1 user\. · <time/)
    expect((await getPage(browser, `${ADMIN}/users`)).text).not.to.contain('Not done for')
  })

  it('are asked again where the input is wrong, and one must be ticked', async () => {
    const { browser } = await adminVisit()
    const days = await postForm(browser, BULK, 'action=pause&ids=ann&days=x').expect(400)
    expect(days.text).to.contain('value="x"').and.contain('aria-invalid="true"')
    const nobody = await postForm(browser, BULK, 'action=reset&ask=1').expect(400)
    expect(nobody.text).to.contain('Select at least one user first.')
  })

  // The mistake: an admin ticks users on three pages, and changes those of the last.
  it('are those of this page alone, which it says where there are others', async () => {
    const { browser } = await adminVisit({ users: usersOf([...PEOPLE, ...crowd]) })
    const says = 'The selection is for this page alone'
    expect((await getPage(browser, `${ADMIN}/users?limit=5`)).text).to.contain(says)
    const whole = await getPage(browser, `${ADMIN}/users?limit=100`)
    expect(whole.text).to.contain('action="/admin/second-step/bulk"').and.not.contain(says)
  })

  // The mistake: an admin chooses forty users, is asked for a code, and begins again.
  it('stay chosen while a fresh code is asked for, which the page says before', async () => {
    const people = [...PEOPLE, ...crowd]
    const { host, browser, enrolment } = await adminVisit({ users: usersOf(people) })
    const list = `${ADMIN}/users?limit=5`
    expect((await getPage(browser, list)).text).not.to.contain('in the last 5 minutes')
    host.system.advance(6 * MINUTE)
    expect((await getPage(browser, list)).text).to.contain('in the last 5 minutes')
    const given = await postForm(browser, '/second-step/fresh', { code: enrolment.code() })
    expect(given.headers.location).to.equal(list)
    host.system.advance(6 * MINUTE)
    await postForm(browser, BULK, 'action=unlock&ask=1&ids=ann&ids=u66').expect(403)
    const again = await postForm(browser, '/second-step/fresh', { code: enrolment.code() })
    expect(again.headers.location).to.equal(`${ADMIN}/users`)
    const { text } = await getPage(browser, list).expect(200)
    expect(text).to.contain('value="ann" checked').and.contain('<option value="unlock" selected>')
    expect(text.match(/ checked/g)).to.have.length(1)
    expect(text).to.contain('name="ids" value="u66"').and.contain('>1 more<')
    expect((await getPage(browser, list)).text).not.to.contain(' checked')
  })
})
