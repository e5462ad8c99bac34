import { expect } from 'chai'
import { memoryStore, type RecordStore } from '../../../lib/index.js'
import {
  ADMIN,
  ada,
  adminAt,
  adminVisit,
  listOf,
  makeAdminHost,
  PEOPLE,
  seenBy,
  usersOf,
} from '../../support/admin.js'
import {
  expectProblem,
  expectSafeHeaders,
  getJson,
  getPage,
  postForm,
  postJson,
} from '../../support/answers.js'
import { type Browser, enrol } from '../../support/browser.js'
import { ann, bob, type HostUser } from '../../support/host.js'
import { DAY } from '../../support/records.js'
import { setPolicy } from '../../support/visits.js'

const USERS = `${ADMIN}/users`

async function idsAt(browser: Browser, query = ''): Promise<readonly string[]> {
  const { body } = await getJson(browser, `${USERS}${query}`).expect(200)
  return body.users.map(({ id }: { id: string }) => id)
}

/** All pages of a listing, one after the other. */
async function allPages(browser: Browser, query: string): Promise<readonly string[][]> {
  const pages: string[][] = []
  let cursor = ''
  for (let page = 0; page < 100; page += 1) {
    const { body } = await getJson(browser, `${USERS}?${query}${cursor}`).expect(200)
    pages.push(body.users.map(({ id }: { id: string }) => id))
    if (body.next === null) return pages
    cursor = `&cursor=${encodeURIComponent(body.next)}`
  }
  throw new Error('the listing has no end')
}

/** Calls of a store that can find many at once, and what it is made of. */
function countingStore() {
  const own = memoryStore()
  const calls: string[] = []
  const store: RecordStore = {
    ...own,
    find(userId) {
      calls.push(`find ${userId}`)
      return own.find(userId)
    },
    findPolicy() {
      calls.push('findPolicy')
      return own.findPolicy()
    },
    findMany(userIds) {
      calls.push(`findMany ${userIds.length}`)
      return Promise.allSettled(userIds.map((userId) => own.find(userId)))
    },
  }
  return { store, calls }
}

describe('GET /users', () => {
  // A page of 50 users was 53 reads.
  it('reads their records together, and nothing that the request has read already', async () => {
    const { store, calls } = countingStore()
    const { browser } = await adminVisit({ store })
    calls.length = 0
    expect(await idsAt(browser)).to.have.length(PEOPLE.length)
    expect(calls.filter((call) => call !== 'find ada')).to.deep.equal([
      'findPolicy',
      `findMany ${PEOPLE.length}`,
    ])
  })

  it('lists every user of the host, with the state of their second step', async () => {
    const { host, browser } = await adminVisit()
    const since = new Date(host.system.now()).toISOString()
    await enrol(host, ann)
    const response = await getJson(browser, USERS).expect(200)
    expectSafeHeaders(response)
    expect(response.body.next).to.equal(null)
    expect(response.body.users.map(({ id }: { id: string }) => id)).to.deep.equal(
      PEOPLE.map(({ id }) => id),
    )
    expect(response.body.users[2]).to.deep.equal({
      id: 'ann',
      name: 'Ann',
      email: 'ann@acme.example',
      state: 'on',
      since,
      backupCodesLeft: 10,
      pausedUntil: null,
      lockedUntil: null,
      setupDeadline: null,
    })
    expect(response.body.users[3]).to.deep.include({ id: 'bob', email: null, state: 'off' })
  })

  it('tells nothing that the list of fields does not name', async () => {
    // A host's user object has a password hash in it, a record the sealed secret.
    const { host, browser } = await adminVisit()
    await enrol(host, ann)
    for (const path of [USERS, `${USERS}/ann`, `${USERS}?state=on`, `${ADMIN}/events`]) {
      const { text } = await getJson(browser, path).expect(200)
      for (const word of ['password"', 'ann-password', 'secret', 'digest', 'epoch', 'writeId']) {
        expect(text, `${word} at ${path}`).to.not.include(word)
      }
    }
  })

  it('searches, as the host searches', async () => {
    const { browser } = await adminVisit()
    expect(await idsAt(browser, '?search=ANN')).to.deep.equal(['ann'])
    expect(await idsAt(browser, '?search=acme.example')).to.deep.equal(['ada', 'otto', 'ann'])
    expect(await idsAt(browser, '?search=%20')).to.have.length(4)
    expect(await idsAt(browser, '?search=nobody')).to.deep.equal([])
  })

  it('finds an id that the host’s own search does not, once and first', async () => {
    const people = [...PEOPLE, { ...ann, id: 'u-1', name: 'Zoe' }, { ...ann, id: 'z', name: 'u-1' }]
    const { browser } = await adminVisit({ users: usersOf(people) })
    expect(await idsAt(browser, '?search=u-1')).to.deep.equal(['u-1', 'z'])
    expect(await idsAt(browser, '?search=ann')).to.deep.equal(['ann'])
    expect(await idsAt(browser, '?search=u-1&limit=1')).to.deep.equal(['u-1'])
    expect(await idsAt(browser, '?search=u-1&state=on')).to.deep.equal([])
  })

  // The mistake: a database that takes numbers alone as ids made every search by name a 503.
  it('searches where the host cannot look the word up as an id', async () => {
    const users = {
      ...usersOf(PEOPLE),
      findById: async (id: string) => {
        if (id === 'otto') throw new Error('invalid input syntax for type integer')
        return PEOPLE.find((one) => one.id === id) ?? null
      },
    }
    const { browser } = await adminVisit({ users })
    expect(await idsAt(browser, '?search=otto')).to.deep.equal(['otto'])
  })

  it('pages through everybody exactly once', async () => {
    const { browser } = await adminVisit()
    const pages = await allPages(browser, 'limit=3')
    expect(pages).to.deep.equal([['ada', 'otto', 'ann'], ['bob']])
    expect(await allPages(browser, 'limit=1')).to.have.length(4)
  })

  it('filters by state, with a search and without', async () => {
    const { host, browser } = await adminVisit()
    await enrol(host, ann)
    await enrol(host, bob)
    await postJson(browser, `${USERS}/bob/pause`, { days: 3 }).expect(200)
    expect(await idsAt(browser, '?state=on')).to.have.members(['ada', 'ann'])
    expect(await idsAt(browser, '?state=paused')).to.deep.equal(['bob'])
    expect(await idsAt(browser, '?state=locked')).to.deep.equal([])
    expect(await idsAt(browser, '?state=off')).to.deep.equal(['otto'])
    expect(await idsAt(browser, '?state=on&search=ann')).to.deep.equal(['ann'])
    expect(await idsAt(browser, '?state=paused&search=ann')).to.deep.equal([])
    await postJson(browser, `${USERS}/ann/reset`).expect(200)
    expect(await idsAt(browser, '?state=must-set-up')).to.deep.equal(['ann'])
    host.system.advance(3 * DAY)
  })

  it('counts a pause that the policy does not honour as on', async () => {
    const { host, browser } = await adminVisit()
    await enrol(host, ann)
    await postJson(browser, `${USERS}/ann/pause`, { days: 'forever' }).expect(200)
    expect(await idsAt(browser, '?state=paused')).to.deep.equal(['ann'])
    await setPolicy(host, { mode: 'required' })
    expect(await idsAt(browser, '?state=paused')).to.deep.equal([])
    expect((await allPages(browser, 'state=on&limit=1')).flat()).to.have.members(['ada', 'ann'])
  })

  /** A host of so many users, and how often it was asked for a page. */
  function crowdedHost(size: number, whenAsked: () => void = () => undefined) {
    const crowd: HostUser[] = Array.from({ length: size }, (_, index) => ({
      id: `u${index}`,
      name: `User ${index}`,
      password: 'a-password',
    }))
    const everybody = [...PEOPLE, ...crowd]
    const list = listOf(everybody)
    let asked = 0
    const users = {
      ...usersOf(everybody),
      list: (query: Parameters<typeof list>[0]) => {
        asked += 1
        whenAsked()
        return list(query)
      },
    }
    return { users, asked: () => asked }
  }

  // The mistake: page after page was empty, and the admin pressed "next" eighty times.
  it('looks on for a state that few have, within a bound, and says how far it got', async () => {
    const { users, asked } = crowdedHost(1200)
    const { browser } = await adminVisit({ users })
    const query = '?state=must-set-up&limit=20'
    const { body } = await getJson(browser, `${USERS}${query}`).expect(200)
    expect([asked(), body.users]).to.deep.equal([50, []])
    expect(body.next).to.be.a('string')
    const first = await getPage(browser, `${USERS}${query}`).expect(200)
    expect(first.text).to.contain('1,000 users searched so far.')
    const last = await getJson(browser, `${USERS}${query}&cursor=${body.next}`).expect(200)
    expect(last.body).to.deep.equal({ users: [], next: null })
  })

  it('looks for a second at most', async () => {
    let pass = (_time: number): void => undefined
    const { users, asked } = crowdedHost(1200, () => pass(200))
    const { host, browser } = await adminVisit({ users })
    pass = (time) => host.system.advance(time)
    await getJson(browser, `${USERS}?state=must-set-up&limit=20`).expect(200)
    expect(asked()).to.equal(5)
  })

  it('does not look on for more than half a page', async () => {
    const { users, asked } = crowdedHost(400)
    const { browser } = await adminVisit({ users })
    expect(await idsAt(browser, '?state=off&limit=20')).to.have.length(20)
    expect(asked()).to.be.below(4)
    expect((await allPages(browser, 'state=off&limit=100')).flat()).to.have.length(403)
  })

  it('has those who are enrolled where the host has no list, and finds a whole id', async () => {
    const { host, browser } = await adminVisit({ users: usersOf(PEOPLE, false) })
    await enrol(host, ann)
    expect(await idsAt(browser)).to.have.members(['ada', 'ann'])
    expect((await allPages(browser, 'limit=1')).flat()).to.have.members(['ada', 'ann'])
    expect(await idsAt(browser, '?search=ann')).to.deep.equal(['ann'])
    expect(await idsAt(browser, '?search=an')).to.deep.equal([])
    await postJson(browser, `${USERS}/ann/reset`).expect(200)
    expect(await idsAt(browser, '?state=must-set-up')).to.deep.equal(['ann'])
  })

  it('leaves out users who are gone from the host, and users of another realm', async () => {
    const host = makeAdminHost()
    await enrol(host, ann)
    const staff = makeAdminHost({ store: host.store, realm: 'staff' }, { system: host.system })
    const { browser } = await adminAt(staff)
    expect(await idsAt(browser, '?state=on')).to.deep.equal(['ada'])
    const { body } = await getJson(browser, `${ADMIN}/events`).expect(200)
    for (const { user } of body.events) expect(user).to.equal('ada')
    const without = makeAdminHost({
      store: host.store,
      users: usersOf(PEOPLE.filter(({ id }) => id !== 'ann')),
    })
    const other = await adminAt(without)
    expect(await idsAt(other.browser, '?state=on')).to.deep.equal(['ada'])
  })

  const odd = [
    ...['limit=0', 'limit=10000', 'limit=101', 'limit=-1', 'limit=1e1', 'limit=1.5', 'limit='],
    ...['limit=abc', 'limit=01', 'limit=5&limit=5', 'state=up', 'state=ON', 'state=on&state=off'],
    ...[
      'cursor=',
      'cursor=x',
      'cursor=e30',
      'cursor=bnVsbA',
      'cursor=x&cursor=y',
      'search=a&search=b',
    ],
    ...[`search=${'x'.repeat(300)}`, 'search=a%00b', `cursor=${'x'.repeat(5000)}`],
  ]
  for (const query of odd) {
    it(`refuses ${query.slice(0, 40)}`, async () => {
      const { browser } = await adminVisit()
      const answer = await getJson(browser, `${USERS}?${query}`)
      expectProblem(answer, 'malformed-request', 400)
    })
  }

  it('refuses a cursor of another listing, and one whose inside was made up', async () => {
    const { host, browser } = await adminVisit()
    await enrol(host, ann)
    const first = await getJson(browser, `${USERS}?limit=1`).expect(200)
    const at = (query: string, cursor: string) =>
      getJson(browser, `${USERS}?${query}&cursor=${encodeURIComponent(cursor)}`)
    await at('limit=2', first.body.next).expect(200)
    expectProblem(await at('search=a', first.body.next), 'malformed-request', 400)
    expectProblem(await at('state=off', first.body.next), 'malformed-request', 400)
    const forged = (place: object) => Buffer.from(JSON.stringify(place)).toString('base64url')
    const place = { search: '', state: null, source: 'users', cursor: 'x' }
    expectProblem(await at('', forged(place)), 'malformed-request', 400)
    for (const source of ['on', 'all', '__proto__', 7]) {
      expectProblem(
        await at('', forged({ ...place, source, cursor: null })),
        'malformed-request',
        400,
      )
    }
    for (const looked of [-1, 0.5, '7', null]) {
      const made = forged({ ...place, cursor: '1', looked })
      expectProblem(await at('', made), 'malformed-request', 400)
    }
    const odd = forged({ ...place, cursor: { $gt: '' } })
    expectProblem(await at('', odd), 'malformed-request', 400)
  })

  it('ignores what it does not know', async () => {
    const { browser } = await adminVisit()
    expect(await idsAt(browser, '?order=name')).to.have.length(4)
  })
})

/** What a page of users says, by the class or the label of its cells. */
const rowOf = (html: string, id: string): string =>
  html.split('<tr role="row">').find((row) => row.includes(`/users/${id}"`)) ?? ''

const linkOf = (html: string, rel: string): string | undefined =>
  new RegExp(`rel="${rel}" href="([^"]+)"`).exec(html)?.[1]?.replaceAll('&amp;', '&')

describe('the page of users', () => {
  it('is a table of what an admin looks for', async () => {
    const { host, browser } = await adminVisit()
    await enrol(host, ann)
    const { text } = await getPage(browser, USERS).expect(200)
    const row = rowOf(text, 'ann')
    for (const part of [
      '>On</span>',
      'Ann',
      'ann@acme.example',
      '<bdi>user</bdi>',
      '>App<',
      '>10<',
    ]) {
      expect(row, part).to.contain(part)
    }
    expect(row.match(/<time /g)).to.have.length(2)
    expect(rowOf(text, 'bob')).to.contain('No e-mail address').and.not.to.contain('<time ')
  })

  it('offers in each row what has an effect there, and nothing on oneself', async () => {
    const { host, browser } = await adminVisit()
    await enrol(host, ann)
    const { text } = await getPage(browser, USERS).expect(200)
    expect(rowOf(text, 'ann')).to.contain('/users/ann/reset"').and.contain('/users/ann/pause"')
    expect(rowOf(text, 'bob')).to.contain('/users/bob/note"').and.not.to.contain('/reset"')
    expect(rowOf(text, 'ada')).not.to.contain('<details')
  })

  it('leads on, back, and to the first page', async () => {
    const { browser } = await adminVisit()
    const idsOf = (text: string) =>
      [...text.matchAll(/class="who" href="[^"]*\/users\/([^"]+)"/g)].map(([, id]) => id)
    const pages: string[] = [(await getPage(browser, `${USERS}?limit=1`).expect(200)).text]
    for (let page = 0; page < 3; page += 1) {
      const next = linkOf(pages.at(-1) ?? '', 'next') ?? ''
      pages.push((await getPage(browser, next).expect(200)).text)
    }
    expect(pages.map((text) => idsOf(text))).to.deep.equal([['ada'], ['otto'], ['ann'], ['bob']])
    expect(linkOf(pages[0] ?? '', 'prev')).to.equal(undefined)
    expect(linkOf(pages[0] ?? '', 'first')).to.equal(undefined)
    expect(linkOf(pages[3] ?? '', 'next')).to.equal(undefined)
    expect(linkOf(pages[3] ?? '', 'first')).to.equal(`${USERS}?limit=1`)
    let { text } = await getPage(browser, linkOf(pages[3] ?? '', 'prev') ?? '').expect(200)
    expect(idsOf(text)).to.deep.equal(['ann'])
    text = (await getPage(browser, linkOf(text, 'prev') ?? '').expect(200)).text
    expect(idsOf(text)).to.deep.equal(['otto'])
    expect(linkOf(text, 'prev')).to.equal(`${USERS}?limit=1`)
  })

  for (const before of ['-.x', '"><b>', '..', 'a&before=b', 'x'.repeat(3000)]) {
    it(`has no link but its own for the made-up pages before ${before.slice(0, 10)}`, async () => {
      const { browser } = await adminVisit()
      const first = (await getPage(browser, `${USERS}?limit=1`).expect(200)).text
      const next = linkOf(first, 'next')?.replace(/before=[^&]*/, `before=${before}`) ?? ''
      const { text } = await getPage(browser, next.replaceAll('"', '%22')).expect(200)
      for (const rel of ['prev', 'next', 'first']) {
        expect(linkOf(text, rel) ?? USERS).to.match(/^\/admin\/second-step\/users(\?[\w=&.%-]*)?$/)
        expect(linkOf(text, rel) ?? '').to.have.length.below(3000)
      }
    })
  }

  it('says by which column the store has sorted', async () => {
    const { browser } = await adminVisit()
    const sorted = async (query: string) =>
      /aria-sort="ascending">([^<]+)/.exec((await getPage(browser, `${USERS}${query}`)).text)?.[1]
    expect(await sorted('?state=on')).to.equal('On since')
    expect(await sorted('')).to.equal(undefined)
    expect(await sorted('?state=on&search=ada')).to.equal(undefined)
  })
})

describe('GET /users/:id', () => {
  it('has the user and their last events, with the host’s ids', async () => {
    const { host, browser } = await adminVisit({ realm: 'shop' })
    await enrol(host, ann)
    await postJson(browser, `${USERS}/ann/pause`, { days: 2, reason: 'new phone' }).expect(200)
    const { events, ...user } = await seenBy(browser, 'ann')
    const until = new Date(host.system.now() + 2 * DAY).toISOString()
    expect(user).to.include({ id: 'ann', name: 'Ann', state: 'paused', pausedUntil: until })
    expect(Object.keys(events[0])).to.deep.equal([
      ...['id', 'at', 'type', 'actor', 'user', 'method', 'ip', 'userAgent', 'reason', 'detail'],
    ])
    expect(events[0]).to.deep.include({
      type: 'paused',
      actor: { kind: 'admin', id: 'ada' },
      user: 'ann',
      reason: 'new phone',
      detail: { until },
    })
    expect(events[1]).to.deep.include({ type: 'enrolled', actor: { kind: 'user', id: 'ann' } })
  })

  it('shows admins their own entry too', async () => {
    const { browser } = await adminVisit()
    expect(await seenBy(browser, 'ada')).to.include({ id: 'ada', state: 'on' })
  })

  for (const id of ['nobody', 'ANN', 'ann%20', 'ann%00', '[object Object]', '..%2f', 'a:b']) {
    it(`finds nobody under the id ${id}`, async () => {
      const { browser } = await adminVisit()
      expectProblem(await getJson(browser, `${USERS}/${id}`), 'not-found', 404)
    })
  }

  // The mistake: the address of a user who was deleted said "Page not found", and the admin looked for a
  // wrong link.
  it('says that there is no such user, as JSON and on a page', async () => {
    const { browser } = await adminVisit()
    const nobody = `${USERS}/nobody`
    for (const answer of [
      await getJson(browser, nobody),
      await postJson(browser, `${nobody}/reset`),
    ]) {
      expectProblem(answer, 'not-found', 404)
      expect(answer.body.detail).to.equal('There is no such user.')
    }
    const pages = [await getPage(browser, nobody), await postForm(browser, `${nobody}/reset`)]
    for (const { status, text } of pages) {
      expect(status).to.equal(404)
      expect(text).to.include('There is no such user.').and.include('User not found</h1>')
      expect(text).not.to.include('Page not found')
    }
    expect((await getPage(browser, `${ADMIN}/nothing`)).text).to.include('Page not found')
  })

  it('finds users whatever their id is made of, decoded once', async () => {
    const ids = ['a/b', 'a:b', 'ä b', '%41nn', '*', '__proto__', 'staff:x']
    const people = [...PEOPLE, ...ids.map((id) => ({ ...ann, id, name: `Name of ${id}` }))]
    const { browser } = await adminVisit({ users: usersOf(people) }, { users: people })
    for (const id of ids) expect((await seenBy(browser, id)).id).to.equal(id)
  })

  it('does not take one user for another where the host does', async () => {
    // A database that compares without case finds one user under many ids.
    const users = {
      ...usersOf(PEOPLE),
      findById: async (id: string) => PEOPLE.find((one) => one.id === id.toLowerCase()) ?? null,
    }
    const { browser } = await adminVisit({ users })
    expectProblem(await getJson(browser, `${USERS}/ADA`), 'not-found', 404)
    expectProblem(await postJson(browser, `${USERS}/ADA/disable`), 'not-found', 404)
    expect((await seenBy(browser, ada.id)).state).to.equal('on')
  })
})
