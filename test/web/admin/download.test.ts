import { Writable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import type { Request, Response } from 'express'
import type { UserQuery } from '../../../lib/index.js'
import { csvLine, download } from '../../../lib/web/admin/download.js'
import type { Site } from '../../../lib/web/request/site.js'
import { ADMIN, ada, adminVisit, listOf, PEOPLE, usersOf } from '../../support/admin.js'
import { expectMalformed, expectSafeHeaders, getJson } from '../../support/answers.js'
import type { Browser } from '../../support/browser.js'
import { ann, type HostUser } from '../../support/host.js'

const USERS = `${ADMIN}/users`
const CSV = 'text/csv'
const LINES = 'application/x-ndjson'
const HEAD = 'id,name,email,state,since,backupCodesLeft,pausedUntil,lockedUntil,setupDeadline\r\n'

const crowd: readonly HostUser[] = Array.from({ length: 250 }, (_, index) => ({
  ...ann,
  id: `u${index}`,
  name: `User ${index}`,
}))
const everybody = [...PEOPLE, ...crowd]

/** A file as text, whatever its type. */
const file = (browser: Browser, path: string, type: string) =>
  browser
    .get(path)
    .set('Accept', type)
    .buffer(true)
    .parse((response, done) => {
      let text = ''
      response.on('data', (part) => {
        text += part
      })
      response.on('end', () => done(null, text))
    })

describe('The download of users', () => {
  it('has every page as CSV, with a head and the headers of every answer', async () => {
    const { browser } = await adminVisit({ users: usersOf(everybody) })
    const answer = await file(browser, USERS, CSV).expect(200)
    expectSafeHeaders(answer)
    expect(answer.headers['content-type']).to.equal('text/csv; charset=utf-8')
    expect(answer.headers['content-disposition']).to.equal('attachment; filename="users.csv"')
    const text: string = answer.body
    expect(text.startsWith(HEAD)).to.equal(true)
    expect(text.split('\r\n')).to.have.length(everybody.length + 2)
    expect(text).to.contain('ann,Ann,ann@acme.example,off,,0,,,\r\n')
  })

  it('has a line of JSON for each user, with the members that the list has', async () => {
    const { browser } = await adminVisit({ users: usersOf(everybody) })
    const answer = await file(browser, `${USERS}?limit=2`, LINES).expect(200)
    expectSafeHeaders(answer)
    const lines = String(answer.body).trimEnd().split('\n')
    expect(lines).to.have.length(everybody.length)
    const { body } = await getJson(browser, `${USERS}?limit=100`).expect(200)
    expect(lines.slice(0, 100).map((line) => JSON.parse(line))).to.deep.equal(body.users)
  })

  it('is of those alone whom the query names, and can be asked for by a link', async () => {
    const { browser } = await adminVisit({ users: usersOf(everybody) })
    const { body } = await file(browser, `${USERS}?search=acme&state=on&format=csv`, 'text/html')
    expect(String(body).split('\r\n')).to.have.length(3)
    expect(body).to.contain('\r\nada,')
    expect((await file(browser, `${USERS}?search=nobody`, CSV)).body).to.equal(HEAD)
    expectMalformed(await getJson(browser, `${USERS}?format=xlsx`), 'format')
    expectMalformed(await getJson(browser, `${USERS}?format=csv&cursor=x`), 'cursor')
  })

  // The mistake: whom the search names by their id comes first, and came again on their own page. A sum was one too high.
  it('names nobody twice, nor do the pages', async () => {
    const people = [...crowd, { ...ann, id: 'user', name: 'The last user' }]
    const { browser } = await adminVisit({ users: usersOf([...PEOPLE, ...people]) })
    const { body } = await file(browser, `${USERS}?search=user`, CSV).expect(200)
    const ids = String(body)
      .trimEnd()
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(',')[0])
    expect(ids[0]).to.equal('user')
    expect(ids).to.have.members(people.map(({ id }) => id))
    const seen: string[] = []
    for (let cursor = ''; cursor !== 'null'; ) {
      const from = cursor === '' ? '' : `&cursor=${cursor}`
      const page = await getJson(browser, `${USERS}?search=user&limit=100${from}`).expect(200)
      seen.push(...page.body.users.map(({ id }: { id: string }) => id))
      cursor = String(page.body.next)
    }
    expect(seen).to.deep.equal(ids)
  })

  it('has no body for HEAD', async () => {
    const { browser } = await adminVisit()
    const { headers, text } = await browser.head(USERS).set('Accept', CSV).expect(200)
    expect([headers['content-type'], text]).to.deep.equal(['text/csv; charset=utf-8', undefined])
  })

  // The attack: a user calls themselves =HYPERLINK(…), and the admin's spreadsheet runs it.
  it('runs nothing in a spreadsheet', async () => {
    for (const start of ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) {
      expect(csvLine([`${start}1+1`]).replaceAll('"', ''), start).to.equal(`'${start}1+1\r\n`)
    }
    expect(csvLine(['a=1', 'a,b', 'say "x"', 'two\nlines', null, 7])).to.equal(
      'a=1,"a,b","say ""x""","two\nlines",,7\r\n',
    )
    // Where the list separator is ";", the second part is a cell of its own.
    expect(csvLine(['x;=1+1;y'])).to.equal('"x;\'=1+1;y"\r\n')
    const users = usersOf([...PEOPLE, { ...ann, id: 'x', name: '=HYPERLINK("https://evil")' }])
    const { browser } = await adminVisit({ users })
    const { body } = await file(browser, USERS, CSV).expect(200)
    expect(body).to.contain(`x,"'=HYPERLINK(""https://evil"")",`)
  })

  it('ends where the list of the host goes in a circle', async () => {
    const list = async ({ cursor }: UserQuery) => ({
      users: [ann],
      next: cursor === 'odd' ? 'even' : 'odd',
    })
    const circle = { ...usersOf(PEOPLE), list }
    const { browser } = await adminVisit({ users: circle })
    const broken = await file(browser, USERS, CSV).then(
      () => null,
      (error: Error) => error,
    )
    expect(broken).to.be.an('error')
  })

  // The attack: a stolen session begins a download, reads slowly, and goes on after the role was taken away.
  it('breaks off once the admin is none any more', async () => {
    let pages = 0
    let roles: readonly string[] = ['admin']
    const list = listOf(everybody)
    const users = {
      findById: async (id: string) =>
        id === 'ada' ? { ...ada, roles } : (everybody.find((one) => one.id === id) ?? null),
      list: async (query: Parameters<typeof list>[0]) => {
        pages += 1
        if (pages === 2) roles = []
        return list(query)
      },
    }
    const { browser } = await adminVisit({ users })
    const broken = await file(browser, USERS, CSV).then(
      () => null,
      (error: Error) => error,
    )
    expect(broken).to.be.an('error')
    expect(pages).to.equal(2)
  })
})

/** A response whose client reads nothing until it is let. */
class SlowResponse extends Writable {
  readonly headersSent = false
  readonly waiting: (() => void)[] = []
  setHeader(): this {
    return this
  }
  override _write(_part: unknown, _encoding: string, done: () => void): void {
    this.waiting.push(done)
  }
}

describe('A download to a slow client', () => {
  const site = { failureReporter: { report: () => undefined } } as unknown as Site
  const begin = () => {
    const slow = new SlowResponse({ highWaterMark: 1 })
    let asked = 0
    async function* pages() {
      for (; asked < 5; ) {
        asked += 1
        yield [{ id: `${asked}` }]
      }
    }
    const [req, res] = [{ method: 'GET' } as Request, slow as unknown as Response]
    const rows = { name: 'users', columns: ['id'] as const, cells: (row: { id: string }) => row }
    const done = download({ site, req, res }, 'ndjson', rows, pages())
    return { slow, done, asked: () => asked }
  }

  it('asks for the next page when the one before was read', async () => {
    const { slow, done, asked } = begin()
    await setImmediate()
    expect(asked()).to.equal(1)
    for (let page = 1; page <= 5; page += 1) {
      slow.waiting.shift()?.()
      await setImmediate()
      expect(asked()).to.equal(Math.min(page + 1, 5))
    }
    await done
    expect(slow.writableEnded).to.equal(true)
  })

  it('ends with a client that goes away', async () => {
    const { slow, done, asked } = begin()
    await setImmediate()
    slow.destroy()
    await done
    expect(asked()).to.equal(1)
  })
})
