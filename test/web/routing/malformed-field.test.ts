import { expect } from 'chai'
import express from 'express'
import { ADMIN, adminVisit, putJson } from '../../support/admin.js'
import { expectMalformed, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { browserOf, enrol, HTML, JSON_TYPE, passFirstStep } from '../../support/browser.js'
import { ann, makeHost } from '../../support/host.js'
import { lostVisit } from '../../support/lost.js'
import { pendingVisit, signedInVisit } from '../../support/visits.js'

// A client that is told "something is mistyped" and not what can neither mend it nor mark it.
describe('a malformed request names its field', () => {
  it('at every route that takes a code', async () => {
    const { browser: signedIn } = await signedInVisit()
    const { browser: pending } = await pendingVisit()
    const setup = browserOf(makeHost())
    await passFirstStep(setup, ann)
    await getJson(setup, '/second-step/setup').expect(200)
    const ways = [
      [pending, '/challenge'],
      [setup, '/setup'],
      ...['/fresh', '/change-key', '/show-key', '/backup-codes', '/reset', '/disable'].map(
        (path) => [signedIn, path] as const,
      ),
    ] as const
    for (const [browser, path] of ways) {
      for (const body of [{}, { code: 'what?' }, { code: ['123456'] }, { code: '1234567' }]) {
        expectMalformed(await postJson(browser, `/second-step${path}`, body), 'code')
      }
    }
  })

  it('at the request for a reset by mail', async () => {
    const { browser } = await lostVisit()
    expectMalformed(await postJson(browser, '/second-step/lost', { email: 'nobody' }), 'email')
    const page = await postForm(browser, '/second-step/lost', { email: 'nobody' }).expect(400)
    expect(page.text).to.match(/id="email"[^>]*aria-invalid="true"[^>]*aria-describedby="problem"/)
  })

  it('where the host has read the body, and one field is too long', async () => {
    const { browser } = await pendingVisit({
      beforeGuard: ({ app }) => void app.use(express.json({ limit: '1mb' })),
    })
    const body = { code: '123456', trust: 'x'.repeat(5000) }
    expectMalformed(await postJson(browser, '/second-step/challenge', body), 'trust', 413)
  })

  it('as null where it is the body that is wrong, and no field', async () => {
    const { browser } = await pendingVisit()
    const path = '/second-step/challenge'
    expectMalformed(await postJson(browser, path, '{"code":"123456"'), null)
    expectMalformed(await postJson(browser, path, `{"a":"${'x'.repeat(5000)}"}`), null, 413)
    const text = browser.post(path).set('Accept', JSON_TYPE).type('text/plain').send('code=123456')
    expectMalformed(await text, null, 415)
    expectMalformed(await getJson(browser, '/second-step/lost/%'), null)
  })

  it('at the host’s login, behind limitPassword()', async () => {
    const host = makeHost({
      routes: ({ app, secondStep }) => {
        app.post('/limited', secondStep.limitPassword())
        const account = () => ({}) as unknown as string
        app.post('/own', secondStep.limitPassword({ account }))
      },
    })
    const browser = browserOf(host)
    expectMalformed(await postJson(browser, '/limited', { username: ['ann'] }), 'username')
    expectMalformed(await postJson(browser, '/limited', { email: { is: 'ann' } }), 'email')
    const query = await postJson(browser, '/limited?username=a&username=b', { email: 'a' })
    expectMalformed(query, 'username')
    expectMalformed(await postJson(browser, '/own', { login: 'ann' }), null)
  })

  it('to hosts that draw their own page by the strategy', async () => {
    const { browser } = await pendingVisit({
      routes: ({ app, passport, secondStep }) => {
        passport.use(secondStep.strategy())
        app.post('/code', (req, res, next) => {
          const told = (_error: unknown, _user: unknown, info: unknown) => void res.json({ info })
          passport.authenticate('second-step', told)(req, res, next)
        })
      },
    })
    const { body } = await postJson(browser, '/code', { code: '12' }).expect(200)
    expect(body.info).to.include({ code: 'malformed-request', field: 'code' })
  })
})

describe('a malformed request of an admin’s names its field', () => {
  it('in the body', async () => {
    const { browser } = await adminVisit()
    const pause = `${ADMIN}/users/ann/pause`
    expectMalformed(await postJson(browser, pause, {}), 'days')
    expectMalformed(await postJson(browser, pause, { days: '7' }), 'days')
    expectMalformed(await postJson(browser, pause, { days: 7, reason: 7 }), 'reason')
    const disable = `${ADMIN}/users/ann/disable`
    expectMalformed(await postJson(browser, disable, { reason: 'x'.repeat(501) }), 'reason')
    expectMalformed(await postJson(browser, disable, '["reason"]'), null)
  })

  it('in the policy', async () => {
    const { browser } = await adminVisit()
    const policy = `${ADMIN}/policy`
    const bodies: Readonly<Record<string, object>> = {
      mode: { mode: 'strict' },
      roles: { roles: { nobody: 'off' } },
      graceDays: { mode: 'off', graceDays: -1 },
      codeAttempts: { codeAttempts: '5' },
      passwordAttempts: { passwordAttempts: 1 },
      backupCodes: { backupCodes: 'yes' },
      reason: { mode: 'optional', reason: {} },
      gracedays: { gracedays: 1 },
    }
    for (const [field, body] of Object.entries(bodies)) {
      expectMalformed(await putJson(browser, policy, body), field)
    }
    expectMalformed(await putJson(browser, policy, '[]'), null)
    const form = { 'roles[user]': 'strict', 'roles[admin]': 'off' }
    const asForm = browser.post(policy).set('Accept', JSON_TYPE).type('form').send(form)
    expectMalformed(await asForm, 'roles[user]')
  })

  it('in a query', async () => {
    const { browser } = await adminVisit()
    for (const [field, query] of [
      ['search', 'search=a&search=b'],
      ['state', 'state=odd'],
      ['limit', 'limit=0'],
      ['cursor', 'cursor='],
      ['cursor', 'cursor=made-up'],
    ] as const) {
      expectMalformed(await getJson(browser, `${ADMIN}/users?${query}`), field)
    }
    for (const [field, query] of [
      ['user', 'user=a&user=b'],
      ['limit', 'limit=x'],
      ['cursor', 'cursor='],
      ['cursor', 'cursor=made-up'],
    ] as const) {
      expectMalformed(await getJson(browser, `${ADMIN}/events?${query}`), field)
    }
  })
})

describe('a page marks the field that is malformed, and no other', () => {
  /** The names of the fields that are marked and tied to the text of what is wrong. */
  const marked = (html: string) =>
    [...html.matchAll(/<(?:input|select)\b[^>]*>/g)]
      .map(([tag]) => tag)
      .filter((tag) => tag.includes('aria-invalid="true"'))
      .map((tag) => {
        const [, tied = ''] = /aria-describedby="([^" ]+)/.exec(tag) ?? []
        expect(tied).to.match(/^problem$|-wrong$/)
        expect(html).to.contain(`id="${tied}"`)
        return / name="([^"]+)"/.exec(tag)?.[1]
      })

  it('in the forms of a user’s page for admins', async () => {
    const { host, browser } = await adminVisit()
    await enrol(host, ann)
    const pause = `${ADMIN}/users/ann/pause`
    const days = await postForm(browser, pause, { days: 'x', reason: 'why' }).expect(400)
    expect(marked(days.text)).to.deep.equal(['days'])
    const reason = await postForm(browser, pause, { days: '7', reason: 'x'.repeat(501) }).expect(
      400,
    )
    expect(marked(reason.text)).to.deep.equal(['reason'])
  })

  it('in the form of the policy', async () => {
    const { browser } = await adminVisit()
    const fields = {
      mode: 'optional',
      graceDays: '0',
      codeAttempts: '5',
      passwordAttempts: '10',
      backupCodes: 'true',
    }
    for (const [name, value] of [
      ['graceDays', 'x'],
      ['codeAttempts', '1'],
      ['passwordAttempts', ''],
      ['mode', 'odd'],
      ['backupCodes', 'odd'],
      ['roles[user]', 'odd'],
      ['reason', 'x'.repeat(501)],
    ] as const) {
      const { text } = await postForm(browser, `${ADMIN}/policy`, { ...fields, [name]: value })
      expect(marked(text), name).to.deep.equal([name])
    }
  })

  it('in a search', async () => {
    const { browser } = await adminVisit()
    const users = await getPage(browser, `${ADMIN}/users?search=%01`).expect(400)
    expect(marked(users.text)).to.deep.equal(['search'])
    const events = await browser.get(`${ADMIN}/events?user=%01`).set('Accept', HTML).expect(400)
    expect(marked(events.text)).to.deep.equal(['user'])
  })
})
