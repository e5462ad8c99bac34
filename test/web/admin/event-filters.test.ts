import { expect } from 'chai'
import type { AuditEntry } from '../../../lib/ports/audit-log.js'
import { ADMIN, adminVisit } from '../../support/admin.js'
import { expectMalformed, expectProblem, getJson, getPage } from '../../support/answers.js'
import { auditEntry } from '../../support/audit-entry.js'
import type { Browser } from '../../support/browser.js'
import { DAY } from '../../support/clock.js'
import type { Host } from '../../support/host.js'

const EVENTS = `${ADMIN}/events`
const ADA = { kind: 'admin', id: 'ada' } as const

/** An entry so many days ago, with the id that its time has. */
async function happened(
  host: Host,
  daysAgo: number,
  parts: Partial<AuditEntry>,
  nth = 0,
): Promise<AuditEntry> {
  const at = host.system.now() - daysAgo * DAY + nth
  const id = at.toString(16).padStart(12, '0') + nth.toString(16).padStart(18, '0')
  const entry = { ...auditEntry('ann', 'enrolled'), id, at, ...parts }
  await host.store.audit?.append([entry])
  return entry
}

async function idsOf(browser: Browser, query: string): Promise<readonly string[]> {
  const { body } = await getJson(browser, `${EVENTS}?${query}`).expect(200)
  return body.events.map(({ id }: { id: string }) => id)
}

const dayOf = ({ at }: AuditEntry) => new Date(at).toISOString().slice(0, 10)

describe('The filters of events', () => {
  it('are by who did it, by type and by time, together too', async () => {
    const { host, browser } = await adminVisit()
    const old = await happened(host, 9, { type: 'reset', actor: ADA })
    const late = await happened(host, 3, { type: 'reset', actor: ADA })
    const other = await happened(host, 3, { type: 'paused', user: 'bob', actor: ADA }, 1)
    const own = await happened(host, 2, { type: 'enrolled' })
    expect(await idsOf(browser, 'type=reset')).to.deep.equal([late.id, old.id])
    expect(await idsOf(browser, 'actor=ann')).to.deep.equal([own.id])
    expect(await idsOf(browser, 'actor=ada&user=bob')).to.deep.equal([other.id])
    expect(await idsOf(browser, `to=${dayOf(old)}`)).to.deep.equal([old.id])
    const day = dayOf(late)
    expect(await idsOf(browser, `from=${day}&to=${day}`)).to.deep.equal([other.id, late.id])
    const moment = new Date(late.at).toISOString()
    expect(await idsOf(browser, `from=${moment}&to=${moment}&type=reset`)).to.deep.equal([late.id])
    expect(await idsOf(browser, 'type=&user=&actor=&from=&to=')).to.have.length.above(5)
  })

  it('hold on every page, also by the links', async () => {
    const { host, browser } = await adminVisit()
    const made: AuditEntry[] = []
    for (let nth = 0; nth < 5; nth += 1) {
      made.unshift(
        await happened(host, 3, { type: nth % 2 === 0 ? 'reset' : 'paused', actor: ADA }, nth),
      )
    }
    const resets = made.filter(({ type }) => type === 'reset').map(({ id }) => id)
    const query = `type=reset&actor=ada&to=${dayOf(made[0] as AuditEntry)}&limit=1`
    const { body } = await getJson(browser, `${EVENTS}?${query}`).expect(200)
    expect(body.events.map(({ id }: { id: string }) => id)).to.deep.equal(resets.slice(0, 1))
    expect(await idsOf(browser, `${query}&cursor=${body.next}`)).to.deep.equal(resets.slice(1, 2))
    const { text } = await getPage(browser, `${EVENTS}?${query}`).expect(200)
    const next = /rel="next" href="([^"]*)"/
      .exec(text)?.[1]
      ?.replaceAll('&#38;', '&')
      .replaceAll('&amp;', '&')
    const second = await getPage(browser, next ?? '').expect(200)
    expect(second.text).to.include(`/events/${resets[1]}"`).and.not.include(`/events/${resets[0]}"`)
    expect(second.text).to.match(/rel="prev" href="[^"]*actor=ada[^"]*type=reset[^"]*to=/)
  })

  const odd = [
    ...['type=x', 'type=reset&type=paused', 'type=constructor', 'actor=%00', 'actor=a&actor=b'],
    ...['from=x', 'from=2026-02-30', 'from=2026-1-1', 'to=1700000000000', 'to=2026-01-01T25:00Z'],
    ...['from=1969-12-31', 'to=2026-01-01%00', 'from=2026-01-02&to=2026-01-01'],
    ...['type=reset&cursor=made-up', 'type=reset&cursor=W10', 'type=reset&cursor=WyJ4IixudWxsXQ'],
  ]
  it('refuse odd values, and name the field', async () => {
    const { browser } = await adminVisit()
    for (const query of odd) {
      const field = /(cursor|\w+)=[^&]*$/.exec(query)?.[1] ?? ''
      expectMalformed(await getJson(browser, `${EVENTS}?${query}`), field)
    }
    const { text } = await getPage(browser, `${EVENTS}?from=yesterday`).expect(400)
    expect(text).to.match(/<input[^>]*id="from"[^>]*value="yesterday"[^>]*aria-invalid="true"/)
  })

  it('are kept in the form, and show names beside ids', async () => {
    const { host, browser } = await adminVisit()
    await happened(host, 3, { type: 'reset', actor: ADA })
    const { text } = await getPage(browser, `${EVENTS}?type=reset&actor=ada&to=2100-01-01`)
    expect(text).to.include('<input type="radio" name="type" value="reset" checked>')
    expect(text).to.match(/id="actor"[^>]*value="ada"/)
    expect(text).to.match(/id="to"[^>]*type="date"[^>]*value="2100-01-01"/)
    expect(text).to.include('<bdi>Ann</bdi> · <bdi>ann</bdi></a>')
    expect(text).to.include('(<bdi>Ada Admin</bdi> · <bdi>ada</bdi>)')
  })

  it('show the page without names where the host cannot tell them', async () => {
    const { host, browser } = await adminVisit()
    await happened(host, 3, { user: 'gone', actor: { kind: 'user', id: 'gone' } })
    const { text } = await getPage(browser, `${EVENTS}?user=gone`).expect(200)
    expect(text).to.include('<bdi>gone</bdi></a>')
  })
})

describe('The lines of the page of events', () => {
  it('are one for a login, with a link to its wrong codes; JSON has each', async () => {
    const { host, browser } = await adminVisit()
    await happened(host, 3, { type: 'wrong-code' }, 0)
    await happened(host, 3, { type: 'wrong-code' }, 1)
    await happened(host, 3, { type: 'code-accepted' }, 2)
    const { text } = await getPage(browser, `${EVENTS}?user=ann`).expect(200)
    expect(text.match(/<li>/g)).to.have.length(1)
    const link = /href="([^"]*)">after 2 wrong codes</.exec(text)?.[1] ?? ''
    const codes = await getPage(
      browser,
      link.replaceAll('&#38;', '&').replaceAll('&amp;', '&'),
    ).expect(200)
    expect(codes.text.match(/<li>/g)).to.have.length(2)
    expect(await idsOf(browser, 'user=ann')).to.have.length(3)
  })
})

describe('GET /events/:id', () => {
  it('is the event of the list, and a page', async () => {
    const { host, browser } = await adminVisit()
    const parts = { reason: '<b>lost</b>', userAgent: 'Mozilla/5.0 (odd)', actor: ADA }
    const { id } = await happened(host, 3, { type: 'reset', ...parts })
    const list = await getJson(browser, `${EVENTS}?type=reset`)
    const { body } = await getJson(browser, `${EVENTS}/${id}`).expect(200)
    expect(body).to.deep.equal(list.body.events[0])
    const { text } = await getPage(browser, `${EVENTS}/${id}`).expect(200)
    expect(text).to.include('<bdi>Mozilla/5.0 (odd)</bdi>').and.include('<bdi>Ada Admin</bdi>')
    expect(text).to.include('&lt;b&gt;lost').and.not.include('<b>lost')
  })

  // The attack: an admin of one app asks for the events of another that shares the log.
  it('has none of another realm, and none that never was', async () => {
    const { host, browser } = await adminVisit({ realm: 'shop' })
    const { id } = await happened(host, 3, {
      user: 'staff:boss',
      actor: { kind: 'user', id: 'staff:boss' },
    })
    const ours = await happened(
      host,
      3,
      { user: 'shop:ann', actor: { kind: 'user', id: 'shop:ann' } },
      1,
    )
    await getJson(browser, `${EVENTS}/${ours.id}`).expect(200)
    for (const one of [id, '0'.repeat(30), 'f'.repeat(30), 'x', '%00', '..%2fusers']) {
      expectProblem(await getJson(browser, `${EVENTS}/${one}`), 'not-found', 404)
    }
  })
})
