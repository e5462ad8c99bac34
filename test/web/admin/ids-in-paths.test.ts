// The attack: somebody who may choose their id takes `x/../ann` or `ann/`, and asks support to reset them. Behind a
// proxy that decodes paths before it passes them on, such as nginx, an admin's link or form for them acts on Ann.

import { expect } from 'chai'
import { ADMIN, ada, adminVisit, PEOPLE, usersOf } from '../../support/admin.js'
import { expectProblem, getJson, getPage, postJson } from '../../support/answers.js'
import { enrol } from '../../support/browser.js'
import { ann, type HostUser, makeHost } from '../../support/host.js'
import {
  decodedAsByNginx,
  type StrippingProxy,
  strippingProxy,
} from '../../support/stripping-proxy.js'
import { Visitor } from '../../support/visitor.js'

const USERS = `${ADMIN}/users`
const ODD_IDS = [
  ...[
    'x/../ann',
    'ann/',
    '/ann',
    'ann/.',
    'x/%2e%2e/ann',
    'ann%2F',
    'ann%252F',
    'ann;x',
    'ann?x',
    'ann#x',
  ],
  ...[
    '..',
    '.',
    'ann.',
    'ann\\',
    'ann/pause',
    '../events',
    '~',
    '~abc',
    '~YW5u',
    'ä',
    'a b',
    'auth0|1',
    'x//y',
  ],
]
const PLAIN_IDS = ['a-b_c.d', 'ann@acme.example', 'a+b@acme.example', 'acme:1', '0190-ab']
const people: readonly HostUser[] = [...PEOPLE, ...[...ODD_IDS, ...PLAIN_IDS].map(called)]

function called(id: string): HostUser {
  return { id, name: 'Mallory', password: 'mallory-password' }
}

/** The form that survives such a proxy. */
function tilde(id: string): string {
  return `~${Buffer.from(id).toString('base64url')}`
}

/** The addresses of links and forms. */
function addressesIn(html: string): readonly string[] {
  return [...html.matchAll(/(?:href|action)="([^"]*)"/g)].map(([, found = '']) =>
    found
      .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
      .replaceAll('&amp;', '&'),
  )
}

describe('a user with any id, behind a proxy that decodes paths', () => {
  let proxy: StrippingProxy
  let visitor: Visitor

  before(async () => {
    proxy = await strippingProxy('/app', decodedAsByNginx)
    const host = makeHost({
      users: people,
      options: { users: usersOf(people), origin: proxy.url, base: '/app' },
      mount: ({ app, secondStep }) => void app.use(ADMIN, secondStep.adminRouter()),
    })
    await proxy.serve(host.app)
    for (const user of [ann, ...ODD_IDS.map(called)]) await enrol(host, user)
    const enrolment = await enrol(host, ada)
    visitor = new Visitor(proxy.url)
    await visitor.postJson('/app/login', { username: ada.id, password: ada.password })
    await visitor.postJson('/app/second-step/challenge', { code: enrolment.code() })
  })

  after(() => proxy.stop())

  async function linksAt(path: string): Promise<readonly string[]> {
    const { text } = await visitor.getPage(path)
    return addressesIn(text).filter((address) => address.startsWith(`/app${USERS}/`))
  }

  /** The users' pages in the list. What the menu of a row leads to is behind the page of its user. */
  async function rowsAt(path: string): Promise<readonly string[]> {
    const rows: string[] = []
    for (const address of await linksAt(path)) {
      const row = rows.at(-1)
      if (row === undefined || !address.startsWith(`${row}/`)) rows.push(address)
    }
    return rows
  }

  it('leads each link of the list, and each form behind it, to the user it stands for', async () => {
    const links = await rowsAt(`/app${USERS}`)
    expect(links).to.have.length(people.length)
    for (const [index, { id }] of people.entries()) {
      const link = links[index] ?? ''
      expect((await visitor.getJson(link)).body, id).to.include({ id })
      for (const action of await linksAt(link)) {
        const ofUser = action.replace(/(\/authenticators\/[^/]+)?\/[^/]+$/, '')
        expect(ofUser, action).to.equal(link)
        const { status, headers, text } = await visitor.getPage(action)
        // Some ask on a page of their own, whose form leads to them again.
        if (status === 200) expect(addressesIn(text), action).to.include(action)
        else expect(headers.location, action).to.equal(link)
      }
    }
  })

  it('leads the links of the events to the users they stand for', async () => {
    const links = await linksAt(`/app${ADMIN}/events`)
    const { body } = await visitor.getJson(`/app${ADMIN}/events`)
    const ids = Reflect.get(body, 'events').map(({ user }: { user: string }) => user)
    expect(links).to.have.length(ids.length)
    for (const [index, link] of links.entries()) {
      expect((await visitor.getJson(link)).body).to.include({ id: ids[index] })
    }
  })

  it('acts on the user of the form alone', async () => {
    const links = await rowsAt(`/app${USERS}`)
    for (const id of ['x/../ann', 'ann/']) {
      const link = links[people.findIndex((user) => user.id === id)] ?? ''
      const done = await visitor.postForm(`${link}/pause`, { days: '1' })
      expect([done.status, done.headers.location]).to.deep.equal([303, link])
      expect((await visitor.getJson(link)).body).to.include({ id, state: 'paused' })
    }
    expect((await visitor.getJson(`/app${USERS}/ann`)).body).to.include({ id: 'ann', state: 'on' })
  })
})

describe('an id in a path', () => {
  async function visit() {
    return adminVisit({ users: usersOf(people) }, { users: people })
  }

  it('may be percent-encoded, as before, unless it begins with ~', async () => {
    const { browser } = await visit()
    for (const { id } of people.filter(({ id }) => !/^~|^\.\.?$/.test(id))) {
      const { body } = await getJson(browser, `${USERS}/${encodeURIComponent(id)}`).expect(200)
      expect(body.id).to.equal(id)
    }
  })

  it('may be ~ and base64url of an id that is not plain', async () => {
    const { browser } = await visit()
    for (const id of ODD_IDS) {
      expect((await getJson(browser, `${USERS}/${tilde(id)}`).expect(200)).body.id).to.equal(id)
    }
  })

  it('is nobody’s where it begins with ~ and is not how the package writes an id', async () => {
    // The attack: somebody takes the id `~YW5u`, which a client gives as it is, and which reads as `ann`.
    const { host, browser } = await visit()
    await enrol(host, ann)
    const padded = `~${Buffer.from('ann/').toString('base64')}`
    const notUtf8 = `~${Buffer.from([0xff, 0xfe]).toString('base64url')}`
    const loose = `${tilde('ann/').slice(0, -1)}x`
    for (const id of [
      '~YW5u',
      '%7EYW5u',
      '~',
      '~abc',
      '~%20',
      padded,
      notUtf8,
      loose,
      `${tilde('ä')}%3D`,
    ]) {
      expectProblem(await getJson(browser, `${USERS}/${id}`), 'not-found', 404)
      expectProblem(await postJson(browser, `${USERS}/${id}/reset`), 'not-found', 404)
      await getPage(browser, `${USERS}/${id}/reset`).expect(404)
    }
    expect((await getJson(browser, `${USERS}/ann`).expect(200)).body.state).to.equal('on')
  })
})
