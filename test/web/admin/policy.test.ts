import { expect } from 'chai'
import { ADMIN, adminVisit, putJson, refusalsIn } from '../../support/admin.js'
import {
  expectProblem,
  expectSafeHeaders,
  getJson,
  getPage,
  postForm,
  postJson,
} from '../../support/answers.js'
import { browserOf, passFirstStep } from '../../support/browser.js'
import { ann } from '../../support/host.js'
import { recordOf } from '../../support/visits.js'

const POLICY = `${ADMIN}/policy`

const UNTOUCHED = {
  mode: 'optional',
  roles: {},
  accepts: {},
  graceDays: 7,
  codeAttempts: 5,
  passwordAttempts: 10,
  backupCodes: true,
  updatedAt: null,
  updatedBy: null,
}

describe('GET /policy', () => {
  it('has what holds while nobody has changed anything', async () => {
    const { browser } = await adminVisit()
    const answer = await getJson(browser, POLICY).expect(200)
    expectSafeHeaders(answer)
    expect(answer.body).to.deep.equal(UNTOUCHED)
  })

  it('says that the operator has changed it', async () => {
    const { host, browser } = await adminVisit()
    const { defaultPolicy } = await import('../../../lib/domain/policy.js')
    const updatedBy = { kind: 'operator', id: null } as const
    const policy = { ...defaultPolicy, version: 1, writeId: 'w', updatedAt: 0, updatedBy }
    await host.store.writePolicy(policy, 0)
    const { body } = await getJson(browser, POLICY).expect(200)
    expect(body).to.deep.include({ updatedAt: '1970-01-01T00:00:00.000Z', updatedBy: 'operator' })
  })
})

describe('PUT /policy', () => {
  it('changes only the given fields, and takes effect at the next request', async () => {
    const { host, browser } = await adminVisit()
    const changed = () => ({
      updatedAt: new Date(host.system.now()).toISOString(),
      updatedBy: 'ada',
    })
    const first = await putJson(browser, POLICY, { graceDays: 0, reason: 'audit' }).expect(200)
    expect(first.body).to.deep.equal({ ...UNTOUCHED, ...changed(), graceDays: 0 })
    const login = browserOf(host)
    await passFirstStep(login, ann)
    await login.get('/inside').expect(200)
    const roles = { user: 'required', admin: 'optional' }
    host.system.advance(1)
    const second = await putJson(browser, POLICY, { roles, codeAttempts: 3 }).expect(200)
    expect(second.body).to.deep.equal({
      ...UNTOUCHED,
      ...changed(),
      graceDays: 0,
      roles,
      codeAttempts: 3,
    })
    await login.get('/inside').expect(401)
    host.system.advance(1)
    const third = await putJson(browser, POLICY, { roles: {} }).expect(200)
    expect(third.body.roles).to.deep.equal({})
    expect((await getJson(browser, POLICY)).body).to.deep.equal(third.body)
    const events = await getJson(browser, `${ADMIN}/events`).expect(200)
    const told = events.body.events.filter(
      ({ type }: { type: string }) => type === 'policy-changed',
    )
    expect(told).to.have.length(3)
    expect(told[2]).to.deep.include({
      actor: { kind: 'admin', id: 'ada' },
      user: null,
      reason: 'audit',
      detail: { changed: { graceDays: 0 }, before: { graceDays: 7 } },
    })
  })

  it('is a POST in a form, with a field for each role', async () => {
    const { host, browser } = await adminVisit()
    const form = {
      mode: 'required',
      'roles[user]': 'off',
      'roles[admin]': '',
      graceDays: '14',
      codeAttempts: '10',
      passwordAttempts: '20',
      backupCodes: 'false',
      reason: '',
    }
    const sent = await postForm(browser, POLICY, form).expect(303)
    expect(sent.headers.location).to.equal(POLICY)
    const { mode, roles, graceDays, backupCodes } = (await host.store.findPolicy()) ?? {}
    expect({ mode, roles, graceDays, backupCodes }).to.deep.equal({
      mode: 'required',
      roles: { user: 'off' },
      graceDays: 14,
      backupCodes: false,
    })
    const page = await getPage(browser, POLICY).expect(200)
    expect(page.text).to.include('Done: the policy applies at once.')
    expect(page.text).to.include('<option value="required" selected>')
    expect(page.text).to.match(
      /<select id="role-0" name="roles\[user\]"[^>]*>[\s\S]*?value="off" selected/,
    )
    expect(page.text).to.include('value="14"')
  })

  const odd: Record<string, object | string> = {
    'an unknown role': { roles: { boss: 'required' } },
    'an unknown role beside a known one': { mode: 'required', roles: { user: 'off', boss: 'off' } },
    'a role of every object’s': '{"roles":{"__proto__":"required"}}',
    'a role called constructor': { roles: { constructor: 'required' } },
    'an unknown mode': { mode: 'Required' },
    'an unknown mode of a role': { roles: { user: 'maybe' } },
    'no mode of a role': { roles: { user: null } },
    'an empty mode of a role': { roles: { user: '' } },
    'a list of roles': { roles: ['user'] },
    'roles that are none': { roles: null },
    'an unknown field': { mode: 'required', enforce: true },
    'what only we write': { requiredSince: { general: 0, roles: {} } },
    'who has changed it': { updatedBy: { kind: 'operator', id: null } },
    'its version': { version: 7 },
    'a field of every object’s': '{"__proto__":{"mode":"required"}}',
    'a mode that is a list': { mode: ['required'] },
    'digits where a number belongs': { graceDays: '7' },
    'half a day': { graceDays: 1.5 },
    'days below none': { graceDays: -1 },
    'too many days': { graceDays: 366 },
    'too few codes': { codeAttempts: 2 },
    'too many codes': { codeAttempts: 11 },
    'too few passwords': { passwordAttempts: 2 },
    'too many passwords': { passwordAttempts: 21 },
    'a number that JSON has not': '{"graceDays":1e999}',
    'a word where true or false belongs': { backupCodes: 'false' },
    'a number where true or false belongs': { backupCodes: 0 },
    'nothing where true or false belongs': { backupCodes: null },
    'a list': '[]',
    null: 'null',
    'broken JSON': '{"mode":"required"',
    'a reason that is too long': { mode: 'required', reason: 'x'.repeat(501) },
  }
  // The mistake: a script sends "mandatory", and the answer says that something is mistyped.
  it('says which values it takes', async () => {
    const { browser } = await adminVisit()
    const modes = 'off, optional, required'
    const allowed: Readonly<Record<string, readonly [object, string]>> = {
      'a mode': [{ mode: 'mandatory' }, modes],
      'a number': [{ codeAttempts: 2 }, '3–10'],
      'true or false': [{ backupCodes: 'no' }, 'true, false'],
      'a role': [{ roles: { boss: 'off' } }, 'user, admin'],
      'the mode of a role': [{ roles: { user: 'on' } }, modes],
      'a field': [{ enforce: true }, 'mode, roles, accepts, graceDays'],
    }
    for (const [what, [body, values]] of Object.entries(allowed)) {
      const { text } = await putJson(browser, POLICY, body).expect(400)
      expect(JSON.parse(text).detail, what).to.include(`Values allowed here: ${values}`)
    }
    const { text } = await putJson(browser, POLICY, { accepts: { user: ['sms'] } }).expect(400)
    expect(JSON.parse(text).detail).to.match(/^Values allowed here: .*\bwebauthn\b/)
  })

  for (const [name, body] of Object.entries(odd)) {
    it(`refuses ${name}, changes nothing and writes that down`, async () => {
      const { host, browser } = await adminVisit()
      expectProblem(await putJson(browser, POLICY, body), 'malformed-request', 400)
      expect(await host.store.findPolicy()).to.equal(null)
      expect(await refusalsIn(host)).to.deep.equal([
        {
          user: null,
          actor: { kind: 'admin', id: 'ada' },
          action: 'policy',
          code: 'malformed-request',
          reason: null,
        },
      ])
    })
  }

  const oddForms: Record<string, string> = {
    'an unknown role': 'mode=required&roles[boss]=off',
    'an unknown mode of a role': 'roles[user]=maybe',
    'a role twice': 'roles[user]=off&roles[user]=off',
    'an empty number': 'graceDays=',
    'no whole number': 'codeAttempts=3.5',
    'an exponent': 'graceDays=1e1',
    'a tick': 'backupCodes=on',
    'an unknown field': 'mode=off&x=1',
    'nothing at all': '',
  }
  for (const [name, body] of Object.entries(oddForms)) {
    it(`refuses ${name} in a form, on its page`, async () => {
      const { host, browser } = await adminVisit()
      const page = await postForm(browser, POLICY, body).expect(400)
      expectSafeHeaders(page)
      expect(page.text).to.include('Something is missing or mistyped')
      expect(await host.store.findPolicy()).to.equal(null)
      // A mistake in a form is no event. A form without any field is none of ours.
      expect(await refusalsIn(host)).to.have.length(body === '' ? 1 : 0)
    })
  }

  it('marks every wrong field of the form where it is, and keeps all that was typed', async () => {
    const { browser } = await adminVisit()
    const form = {
      mode: 'maybe',
      'roles[user]': 'x',
      'roles[admin]': 'required',
      graceDays: '400',
      codeAttempts: '2',
      passwordAttempts: '20',
      reason: 'why',
    }
    const { text } = await postForm(browser, POLICY, { ...form, dryRun: 'true' }).expect(400)
    const invalid = [
      ...text.matchAll(/name="([^"]*)"[^>]*aria-invalid="true" aria-describedby="(\S*)/g),
    ]
    expect(invalid.map(([, name, by]) => [name, by])).to.deep.equal([
      ['mode', 'mode-wrong'],
      ['roles[user]', 'role-0-wrong'],
      ['graceDays', 'graceDays-wrong'],
      ['codeAttempts', 'codeAttempts-wrong'],
    ])
    for (const [, , id] of invalid) expect(text).to.include(`<p class="wrong" id="${id}">`)
    expect(text).to.include('Please type a whole number from 0 to 365.')
    expect(text).to.include('value="400"').and.to.include('value="2"').and.to.include('value="why"')
  })

  it('keeps what was typed on the page, also where it is markup', async () => {
    const { browser } = await adminVisit()
    const form = {
      graceDays: '"><script>alert(1)</script>',
      reason: '<b>why</b>',
      mode: 'required',
    }
    const page = await postForm(browser, POLICY, form).expect(400)
    expect(page.text).to.include('value="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"')
    expect(page.text).to.include('value="&lt;b&gt;why&lt;/b&gt;"')
    expect(page.text).to.include('<option value="required" selected>')
    expect(page.text.match(/<script/g)).to.have.length(1)
  })

  it('takes the host’s own hidden fields, and a body that the host has read', async () => {
    const { host, browser } = await adminVisit({ formFields: () => ({ _csrf: 'token' }) })
    expect((await getPage(browser, POLICY)).text).to.include('name="_csrf" value="token"')
    await postForm(browser, POLICY, { _csrf: 'token', mode: 'required' }).expect(303)
    expect((await host.store.findPolicy())?.mode).to.equal('required')
  })

  it('writes nothing where nothing changes', async () => {
    const { host, browser } = await adminVisit()
    await putJson(browser, POLICY, { mode: 'optional' }).expect(200, UNTOUCHED)
    await putJson(browser, POLICY, {}).expect(200, UNTOUCHED)
    expect(await host.store.findPolicy()).to.equal(null)
  })

  it('can be sent in JSON by POST too', async () => {
    const { browser } = await adminVisit()
    const { body } = await postJson(browser, POLICY, { passwordAttempts: 3 }).expect(200)
    expect(body.passwordAttempts).to.equal(3)
  })

  it('requires it of everybody, and gives admins no days of grace', async () => {
    const { host, browser } = await adminVisit()
    await putJson(browser, POLICY, { mode: 'required', graceDays: 7 }).expect(200)
    await getJson(browser, POLICY).expect(200)
    const login = browserOf(host)
    await passFirstStep(login, ann)
    await login.get('/inside').expect(200)
    expect((await recordOf(host)).ruleStart).to.equal(host.system.now())
  })
})

// The mistake: an admin sets `admin: off`, reads "Off" ever after, and believes that admins are asked
// for no code, while each of them still is.
describe('the rule "off", on the page', () => {
  const said = 'For admins, Off counts as Optional'

  it('says beside its fields that admins are asked for a code all the same', async () => {
    const { browser } = await adminVisit()
    const { text } = await getPage(browser, POLICY).expect(200)
    expect(text).to.match(/<p class="hint" id="off-hint">For admins, Off counts as Optional/)
    expect(text).to.match(/<select id="mode"[^>]* aria-describedby="mode-hint off-hint"/)
    expect(text).to.match(/<select id="role-0"[^>]* aria-describedby="off-hint"/)
  })

  for (const [what, change] of [
    ['everybody', { mode: 'off' }],
    ['a role', { 'roles[admin]': 'off' }],
  ] as const) {
    it(`says so once more when it was saved for ${what}`, async () => {
      const { browser } = await adminVisit()
      await postForm(browser, POLICY, { ...change, reason: '' }).expect(303)
      const { text } = await getPage(browser, POLICY).expect(200)
      const [, done] = /<p class="done" role="status">([^<]*)/.exec(text) ?? []
      expect(done).to.contain('Done').and.contain(said)
    })
  }

  it('says no more than "Done" where no rule is off', async () => {
    const { browser } = await adminVisit()
    await postForm(browser, POLICY, { mode: 'required' }).expect(303)
    const { text } = await getPage(browser, POLICY).expect(200)
    expect(/<p class="done" role="status">([^<]*)/.exec(text)?.[1]).not.to.contain(said)
  })
})
