// The mistake: one user of the host's is not as the app should tell them: an address that is a list, no id,
// a getter that throws. Admins then see no list at all, and can help nobody.

import { expect } from 'chai'
import type { UserQuery } from '../../../lib/index.js'
import { ADMIN, adminVisit, listOf, PEOPLE, refusalsIn, usersOf } from '../../support/admin.js'
import { expectProblem, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { type Browser, enrol } from '../../support/browser.js'
import { ann, bob, type HostUser } from '../../support/host.js'
import { recordOf } from '../../support/visits.js'
import { warningsDuring } from '../../support/warnings.js'

const UNREADABLE = 'Record can’t be read'
const ADDRESS = 'secret@acme.example'
const ADMINS = PEOPLE.filter(({ roles }) => roles?.includes('admin'))
const BOB: HostUser = { ...bob, roles: ['user'] }

/** What the host has under Ann's id, and what of it is wrong. */
const odd: Readonly<Record<string, { readonly user: object; readonly field: string }>> = {
  'an address that is a list': {
    user: { ...ann, email: [ADDRESS] },
    field: 'email',
  },
  'an address that is an object': {
    user: { ...ann, email: { address: ADDRESS } },
    field: 'email',
  },
  'roles that are a text': { user: { ...ann, roles: 'user' }, field: 'roles' },
  'a getter that throws': {
    user: {
      ...ann,
      get email() {
        throw new Error('no such column')
      },
    },
    field: 'describe',
  },
}

/** Ann set up a second step before the app described Ann wrongly. */
async function oddVisit(user: object, searchable = true) {
  const people: HostUser[] = [...ADMINS, { ...ann, roles: ['user'] }, BOB]
  const list = async ({ search }: UserQuery) => ({
    users: people.filter(({ id }) => id.includes(search)),
    next: null,
  })
  const { findById } = usersOf(people)
  const visit = await adminVisit({ users: searchable ? { findById, list } : { findById } })
  await enrol(visit.host, ann)
  await enrol(visit.host, bob)
  people[people.findIndex(({ id }) => id === 'ann')] = user as HostUser
  return visit
}

/** What the host is told of its odd users. A slow store may warn of something else meanwhile. */
async function toldDuring(run: () => Promise<void>): Promise<readonly string[]> {
  const said = await warningsDuring(run)
  return said.filter((text) => text.includes('users whom your app tells wrongly'))
}

async function rowsAt(browser: Browser, query = '') {
  const { body } = await getJson(browser, `${ADMIN}/users${query}`).expect(200)
  return body.users as readonly { readonly id: string }[]
}

for (const [name, { user, field }] of Object.entries(odd)) {
  describe(`A user of the host's with ${name}`, () => {
    for (const [searchable, query] of [
      [true, ''],
      [true, '?search=ann'],
      [true, '?state=on'],
      [false, ''],
      [false, '?search=ann'],
    ] as const) {
      const where = searchable ? 'the host has a list' : 'it has none'
      it(`is listed as unreadable at /users${query} where ${where}, named in one warning`, async () => {
        const { browser } = await oddVisit(user, searchable)
        const said = await toldDuring(async () => {
          const rows = await rowsAt(browser, query)
          const nothing = { since: null, pausedUntil: null, lockedUntil: null, setupDeadline: null }
          expect(rows.find(({ id }) => id === 'ann')).to.deep.equal({
            ...{ id: 'ann', name: 'Ann', email: null, state: 'on', backupCodesLeft: 0 },
            ...nothing,
          })
          if (!query.includes('search')) {
            expect(rows.map(({ id }) => id)).to.include.members(['ada', 'bob'])
          }
          const { text } = await getPage(browser, `${ADMIN}/users${query}`).expect(200)
          expect(text.split(UNREADABLE)).to.have.length(2)
          expect(text.split('/users/ann"')).to.have.length(2)
        })
        expect(said).to.have.length(1)
        expect(said[0]).to.contain('"ann"').and.contain(`\`${field}\``).and.not.contain(ADDRESS)
      })
    }

    it('is told of at their own page and at every action, which does nothing', async () => {
      const { browser, host } = await oddVisit(user)
      const before = await recordOf(host)
      const said = await toldDuring(async () => {
        const page = await getPage(browser, `${ADMIN}/users/ann`).expect(503)
        expect(page.text).to.contain(`“${field}”`).and.contain(UNREADABLE)
        expect(page.text).to.contain(`href="${ADMIN}/users"`).and.not.contain('in a moment')
        const seen = await getJson(browser, `${ADMIN}/users/ann`)
        expectProblem(seen, 'unavailable', 503)
        expect(seen.body.detail).to.contain(`“${field}”`)
        const refused = await postJson(browser, `${ADMIN}/users/ann/reset`, { reason: 'why' })
        expectProblem(refused, 'unavailable', 503)
        expect(refused.body.detail).to.contain(`“${field}”`)
        const form = await postForm(browser, `${ADMIN}/users/ann/reset`).expect(503)
        expect(form.text).to.contain(`“${field}”`)
      })
      expect(said).to.have.length(1)
      expect(said[0]).to.contain('"ann"').and.contain(`\`${field}\``).and.not.contain(ADDRESS)
      expect(await recordOf(host)).to.deep.equal(before)
      const refusal = { user: 'ann', action: 'reset', code: 'unavailable' }
      const [first, second] = await refusalsIn(host)
      expect(first).to.deep.include(refusal)
      expect(second).to.deep.include(refusal)
    })
  })
}

describe('A `describe` that throws for one user', () => {
  it('hides nobody else', async () => {
    const describe = (user: HostUser) => {
      if (user.id === 'bob') throw new TypeError('bob has no profile')
      return user
    }
    const { browser } = await adminVisit({ describe })
    const said = await toldDuring(async () => {
      const rows = await rowsAt(browser)
      expect(rows.map(({ id }) => id)).to.have.members(['ada', 'otto', 'ann'])
      const { text } = await getPage(browser, `${ADMIN}/users`).expect(200)
      expect(text).to.contain('1 user is missing here').and.contain('Ada Admin')
      const { body } = await getJson(browser, `${ADMIN}/users/bob`).expect(503)
      expect(body.detail).to.contain('“describe”')
    })
    expect(said.join('\n')).to.contain('bob has no profile').and.contain('"bob"')
  })
})

describe('A list of the host’s', () => {
  for (const odd of [{ name: 'Nobody' }, { id: '' }, { id: 'x\ud800' }, null, 'ann', undefined]) {
    it(`shows the others where ${JSON.stringify(odd)} is in it, and says that one is missing`, async () => {
      const list = async () => ({
        users: [...PEOPLE.slice(1), odd as unknown as HostUser],
        next: null,
      })
      const { browser } = await adminVisit({ users: { ...usersOf(PEOPLE), list } })
      const said = await toldDuring(async () => {
        const rows = await rowsAt(browser)
        expect(rows.map(({ id }) => id)).to.have.members(['otto', 'ann', 'bob'])
        const { text } = await getPage(browser, `${ADMIN}/users`).expect(200)
        expect(text).to.contain('1 user is missing here').and.contain('Otto')
      })
      expect(said).to.have.length(1)
    })
  }

  it('goes on to the next page past an odd user', async () => {
    const people = PEOPLE.map((one) => (one.id === 'ann' ? { ...one, email: [ADDRESS] } : one))
    const users = {
      ...usersOf(PEOPLE),
      list: (query: UserQuery) => listOf(people as unknown as HostUser[])(query),
    }
    const { browser } = await adminVisit({ users })
    const ids: string[] = []
    await toldDuring(async () => {
      let cursor = ''
      do {
        const { body } = await getJson(browser, `${ADMIN}/users?limit=1${cursor}`).expect(200)
        ids.push(...body.users.map(({ id }: { id: string }) => id))
        cursor = body.next === null ? '' : `&cursor=${body.next}`
      } while (cursor !== '')
    })
    expect(ids).to.deep.equal(['ada', 'otto', 'ann', 'bob'])
  })

  it('takes an id that is a number, and no name where it is an object', async () => {
    const people = [...ADMINS, { id: 7, name: { first: 'Cy' }, email: null }]
    const users = usersOf(people as unknown as HostUser[])
    const { browser } = await adminVisit({ users })
    const rows = await rowsAt(browser)
    expect(rows[2]).to.deep.include({ id: '7', name: null, email: null, state: 'off' })
  })
})
