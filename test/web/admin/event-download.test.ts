import { expect } from 'chai'
import type { AuditLog } from '../../../lib/ports/audit-log.js'
import { memoryAuditLog } from '../../../lib/stores/memory-audit-log.js'
import { ADMIN, ada, adminVisit, PEOPLE, usersOf } from '../../support/admin.js'
import { expectMalformed, expectSafeHeaders, getJson, getPage } from '../../support/answers.js'
import { auditEntry } from '../../support/audit-entry.js'
import type { Browser } from '../../support/browser.js'

const EVENTS = `${ADMIN}/events`
const HEAD = 'id,at,type,actor,actorId,user,method,ip,userAgent,reason,detail\r\n'
const ADA = { kind: 'admin', id: 'ada' } as const

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

async function logOf(count: number): Promise<AuditLog> {
  const log = memoryAuditLog()
  await log.append(Array.from({ length: count }, () => auditEntry('ann', 'enrolled')))
  return log
}

const outcome = (asked: Promise<unknown>) =>
  asked.then(
    () => null,
    (error: Error) => error,
  )

describe('The download of events', () => {
  it('has every page, as lines of JSON and as CSV, and by the links of the page', async () => {
    const { browser } = await adminVisit({ audit: await logOf(250) })
    const lines = await file(browser, `${EVENTS}?user=ann&limit=2`, 'application/x-ndjson')
    expectSafeHeaders(lines)
    expect(lines.headers['content-disposition']).to.equal('attachment; filename="events.ndjson"')
    const events = String(lines.body).trimEnd().split('\n')
    expect(new Set(events)).to.have.property('size', 250)
    const { body } = await getJson(browser, `${EVENTS}?user=ann&limit=100`).expect(200)
    expect(events.slice(0, 100).map((line) => JSON.parse(line))).to.deep.equal(body.events)
    const { text } = await getPage(browser, `${EVENTS}?user=ann&type=enrolled`).expect(200)
    const link = /href="(\?[^"]*format=csv)" download/.exec(text)?.[1] ?? ''
    const csv = await file(
      browser,
      EVENTS + link.replaceAll('&#38;', '&').replaceAll('&amp;', '&'),
      'text/html',
    )
    expect(csv.headers['content-type']).to.equal('text/csv; charset=utf-8')
    expect(String(csv.body).startsWith(HEAD)).to.equal(true)
    expect(String(csv.body).split('\r\n')).to.have.length(252)
    expectMalformed(await getJson(browser, `${EVENTS}?format=xlsx`), 'format')
    expectMalformed(await getJson(browser, `${EVENTS}?format=csv&type=x`), 'type')
  })

  // The attack: a browser that calls itself =HYPERLINK(…), and the admin's spreadsheet runs it.
  it('runs nothing in a spreadsheet', async () => {
    const audit = memoryAuditLog()
    const more = { userAgent: '=HYPERLINK("https://evil")', reason: '@SUM(1)', actor: ADA }
    await audit.append([{ ...auditEntry('ann', 'paused'), ...more, detail: { until: 'forever' } }])
    const { browser } = await adminVisit({ audit })
    const { body } = await file(browser, `${EVENTS}?type=paused`, 'text/csv').expect(200)
    expect(body).to.contain(
      `,paused,admin,ada,ann,totp,,"'=HYPERLINK(""https://evil"")","'@SUM(1)","{""until"":""forever""}"\r\n`,
    )
  })

  // The attack: a stolen session begins a download, reads slowly, and goes on after the role was taken away.
  for (const [what, later] of [
    ['none', []],
    ['a help desk', ['help']],
  ] as const)
    it(`breaks off once the admin is ${what}`, async () => {
      const log = await logOf(350)
      let [pages, roles]: [number, readonly string[]] = [0, ['admin']]
      const list: AuditLog['list'] = (query) => {
        pages += 1
        if (pages === 2) roles = later
        return log.list(query)
      }
      const findById = async (id: string) =>
        id === 'ada' ? { ...ada, roles } : (PEOPLE.find((one) => one.id === id) ?? null)
      const users = { ...usersOf(PEOPLE), findById }
      const { browser } = await adminVisit({
        audit: { ...log, list },
        users,
        roles: ['user', 'admin', 'help'],
        helpDeskRoles: ['help'],
      })
      expect(await outcome(file(browser, EVENTS, 'text/csv'))).to.be.an('error')
      expect(pages).to.equal(2)
    })

  it('ends where the log goes in a circle', async () => {
    const log = await logOf(1)
    const list: AuditLog['list'] = async (query) => {
      const page = await log.list({ ...query, cursor: null })
      return page && { ...page, next: query.cursor === 'odd' ? 'even' : 'odd' }
    }
    const { browser } = await adminVisit({ audit: { ...log, list } })
    expect(await outcome(file(browser, EVENTS, 'text/csv'))).to.be.an('error')
  })
})
