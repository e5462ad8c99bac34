import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import express from 'express'
import request from 'supertest'
import { defaultPolicy } from '../../../lib/domain/policy.js'
import type { PolicyCount } from '../../../lib/service/policy-count.js'
import { memoryStore } from '../../../lib/stores/memory-store.js'
import { answerPreview } from '../../../lib/web/admin/policy-preview.js'
import { wire } from '../../../lib/wiring.js'
import {
  ADMIN,
  adminAt,
  adminVisit,
  otherAdmin,
  PEOPLE,
  putJson,
  refusalsIn,
  usersOf,
} from '../../support/admin.js'
import { expectProblem, getPage, postForm } from '../../support/answers.js'
import type { Host } from '../../support/host.js'
import { warningsDuring } from '../../support/warnings.js'

const POLICY = `${ADMIN}/policy`

async function changesIn(host: Host) {
  const page = await host.store.audit?.list({ user: null, cursor: null, limit: 100 })
  return (page?.entries ?? []).filter(({ type }) => type === 'policy-changed')
}

/** The hidden fields of the first form of a page, as a browser would send them. */
function hiddenIn(html: string): string {
  const [form = ''] = /<form method="post".*?<\/form>/s.exec(html) ?? []
  const fields = [...form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)]
  return new URLSearchParams(
    fields.map(([, name = '', value = '']): [string, string] => [name, value]),
  ).toString()
}

const FORM = { mode: 'required', 'roles[user]': '', 'roles[admin]': 'required', reason: 'a <why>' }

describe('PUT /policy with dryRun', () => {
  it('says whom the change would concern, and changes and notes nothing', async () => {
    const { host, browser } = await adminVisit()
    const { body } = await putJson(browser, POLICY, { mode: 'required', dryRun: true }).expect(200)
    expect(body).to.deep.equal({
      dryRun: true,
      concerned: 3,
      adminsConcerned: 1,
      roles: { user: 2, admin: 1 },
    })
    expect(await host.store.findPolicy()).to.equal(null)
    expect(await changesIn(host)).to.deep.equal([])
  })

  it('changes the policy where it is false', async () => {
    const { browser } = await adminVisit()
    const { body } = await putJson(browser, POLICY, { mode: 'required', dryRun: false }).expect(200)
    expect(body.mode).to.equal('required')
  })

  it('counts nobody where nothing changes', async () => {
    const { browser } = await adminVisit()
    const { body } = await putJson(browser, POLICY, { codeAttempts: 3, dryRun: true }).expect(200)
    expect(body).to.deep.include({ concerned: 0, adminsConcerned: 0, roles: { user: 0, admin: 0 } })
  })

  it('is refused as the change itself is', async () => {
    const { host, browser } = await adminVisit()
    const odd = [{ mode: 'maybe' }, { enforce: true }, { roles: { boss: 'off' } }, { previewed: 1 }]
    for (const change of odd) {
      const answer = await putJson(browser, POLICY, { ...change, dryRun: true })
      expectProblem(answer, 'malformed-request', 400)
    }
    expectProblem(await putJson(browser, POLICY, { dryRun: 'true' }), 'malformed-request', 400)
    const keys = { accepts: { admin: ['backup-code'] }, dryRun: true }
    expectProblem(await putJson(browser, POLICY, keys), 'malformed-request', 400)
    const bound = { accepts: { admin: ['hotp'] }, dryRun: true }
    const answer = await putJson(browser, POLICY, bound).expect(403)
    expect(answer.body).to.deep.include({ code: 'stronger-factor-required', accepts: ['hotp'] })
    host.system.advance(5 * 60_000)
    const late = await putJson(browser, POLICY, { mode: 'required', dryRun: true })
    expectProblem(late, 'fresh-code-required', 403, '/second-step/fresh')
    expect(await host.store.findPolicy()).to.equal(null)
  })
})

/** An app whose count of the users is not done yet. */
function slowlyCounting() {
  const { site } = wire({
    issuer: 'Acme',
    origin: 'https://acme.example',
    keys: [randomBytes(32).toString('base64')],
    store: memoryStore(),
  })
  const count: PolicyCount = {
    known: 1200,
    concerned: 1100,
    admins: 0,
    adminsConcerned: 0,
    adminsNow: 0,
    of: { 'setup-now': 0, 'setup-later': 1100, code: 0, nothing: 0 },
    pauses: { count: 0, forever: 0, last: null },
    roles: {},
    unreadable: 3,
    whole: false,
    listed: false,
  }
  const policyCounts = { count: async () => count, stop: async () => undefined }
  const app = express()
  app.put('/policy', (req, res, next) => {
    const events = [
      { type: 'policy-changed', method: null, detail: { changed: { graceDays: 1 }, before: {} } },
    ] as const
    const previewed = {
      kind: 'preview',
      before: defaultPolicy,
      after: defaultPolicy,
      events,
    } as const
    const asked = { changes: { graceDays: 1 }, again: false }
    answerPreview({ site: { ...site, policyCounts }, req, res }, previewed, asked, '/policy').catch(
      next,
    )
  })
  return app
}

describe('a count that takes long', () => {
  it('has a program ask again', async () => {
    const answer = await request(slowlyCounting()).put('/policy').set('Accept', 'application/json')
    expectProblem(answer, 'unavailable', 503)
    expect(answer.headers['retry-after']).to.equal('5')
  })

  it('shows people how far it is', async () => {
    const { text } = await request(slowlyCounting())
      .put('/policy')
      .set('Accept', 'text/html')
      .expect(200)
    expect(text).to.include('must set one up within the days given: 1,100 of 1,200.')
    expect(text).to.include('The real numbers may be higher')
    expect(text).to.include('does not list its users')
    expect(text).to.include('because their record can’t be read: 3')
  })
})

describe('the form of the policy', () => {
  it('leads to a page that says whom it concerns, and a reload of it changes nothing', async () => {
    const { host, browser } = await adminVisit()
    expect((await getPage(browser, POLICY)).text).to.include('name="dryRun" value="true"')
    for (const _ of ['once', 'again']) {
      const { text } = await postForm(browser, POLICY, { ...FORM, dryRun: 'true' }).expect(200)
      expect(text).to.include('Save this policy?')
      expect(text).to.include('must set one up within the days given: 2 of 4.')
      expect(text).to.include('Admins who are led to the set-up at once: 1 of 2.')
      expect(text).to.match(/<li>Two-factor authentication: <strong>Required<\/strong>/)
      expect(text).to.include('(before: Optional)')
      expect(await host.store.findPolicy()).to.equal(null)
    }
    expect(await refusalsIn(host)).to.deep.equal([])
  })

  it('saves just what was previewed, by one POST of that page', async () => {
    const { host, browser } = await adminVisit()
    const { text } = await postForm(browser, POLICY, { ...FORM, dryRun: 'true' }).expect(200)
    await postForm(browser, POLICY, hiddenIn(text).replace('%26lt%3Bwhy%26gt%3B', 'why')).expect(
      303,
    )
    const stored = await host.store.findPolicy()
    expect(stored).to.deep.include({ mode: 'required', roles: { admin: 'required' } })
    const [entry] = await changesIn(host)
    expect(entry?.reason).to.equal('a why')
  })

  it('ticked methods are among what is confirmed', async () => {
    const { host, browser } = await adminVisit()
    const form = 'accepts[user]=&accepts[user]=totp&accepts[user]=backup-code&dryRun=true'
    const { text } = await postForm(browser, POLICY, form).expect(200)
    await postForm(browser, POLICY, hiddenIn(text)).expect(303)
    const accepts = (await host.store.findPolicy())?.accepts
    expect(accepts).to.deep.equal({ user: ['totp', 'backup-code'] })
  })

  // The attack, or the accident: between preview and confirmation another admin has changed the policy, and what is
  // saved now would concern people whom nobody has seen in the preview.
  it('shows the preview again where the policy has changed meanwhile', async () => {
    const { host, browser } = await adminVisit()
    const other = await adminAt(host, otherAdmin)
    const { text } = await postForm(browser, POLICY, { ...FORM, dryRun: 'true' }).expect(200)
    await putJson(other.browser, POLICY, { graceDays: 0 }).expect(200)
    const again = await postForm(browser, POLICY, hiddenIn(text)).expect(200)
    expect(again.text).to.include('The policy has changed while you were looking at it')
    expect(again.text).to.include('Users who are led to the set-up at once: 2 of 4.')
    expect((await host.store.findPolicy())?.mode).to.equal('optional')
    await postForm(browser, POLICY, hiddenIn(again.text)).expect(303)
    expect((await host.store.findPolicy())?.mode).to.equal('required')
  })

  // The list of the host's users was away, and no admin could change the policy in the page.
  it('can be saved uncounted where the users cannot be listed, which is told', async () => {
    const users = { ...usersOf(PEOPLE), list: () => Promise.reject(new Error('list is away')) }
    const { host, browser } = await adminVisit({ users })
    const pages: string[] = []
    const said = await warningsDuring(async () => {
      const page = await postForm(browser, POLICY, { ...FORM, dryRun: 'true' }).expect(200)
      pages.push(page.text)
    })
    const [text = ''] = pages
    expect(said.join()).to.include('list is away')
    expect(text).to.include('The users couldn’t be counted').and.include('(before: Optional)')
    expect(text).not.to.include('Nobody has to do anything')
    await postForm(browser, POLICY, hiddenIn(text)).expect(303)
    expect((await host.store.findPolicy())?.mode).to.equal('required')
    const answer = await putJson(browser, POLICY, { mode: 'optional', dryRun: true })
    expectProblem(answer, 'unavailable', 503)
  })

  it('goes back to the form with what was typed', async () => {
    const { host, browser } = await adminVisit()
    const { text } = await postForm(browser, POLICY, { ...FORM, dryRun: 'true' }).expect(200)
    const form = await postForm(browser, POLICY, `${hiddenIn(text)}&edit=true`).expect(200)
    expect(form.text).to.include('<option value="required" selected>')
    expect(form.text).to.include('name="dryRun"')
    expect(await host.store.findPolicy()).to.equal(null)
  })
})
