import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { MemoryStore } from 'express-session'
import type { Response } from 'supertest'
import { memoryStore, type SecondStepOptions } from '../../../lib/index.js'
import { isIn } from '../../support/actions.js'
import { ADMIN, adminVisit } from '../../support/admin.js'
import {
  expectMalformed,
  expectProblem,
  getJson,
  getPage,
  postForm,
  postJson,
} from '../../support/answers.js'
import {
  type Browser,
  browserOf,
  type Enrolment,
  enrol,
  giveCode,
  passFirstStep,
} from '../../support/browser.js'
import { DAY, MINUTE, movedSystem, SECOND } from '../../support/clock.js'
import { ann, type Host, type HostOptions, type HostUser, makeHost } from '../../support/host.js'
import { answerWith, askedAt, CHALLENGE, hostWithKeys, setUpKey } from '../../support/keys.js'
import { putWaitingReset } from '../../support/lost.js'
import { park } from '../../support/parked.js'
import { pendingBrowser, recordOf, setPolicy } from '../../support/visits.js'

const COOKIE = 'second-step-trust.second-step'
const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0'
const ON = { trustedBrowsers: {} } as const

interface Trusted {
  readonly host: Host
  readonly enrolment: Enrolment
  /** Signed in by both steps, with the box ticked. */
  readonly browser: Browser
  /** The cookie of its trust, as a header. */
  readonly cookie: string
}

/** Ann trusts a browser. */
async function trusted(
  options: Partial<SecondStepOptions<HostUser>> = {},
  given: HostOptions = {},
): Promise<Trusted> {
  const host = makeHost({ ...given, options: { ...ON, ...options } })
  const enrolment = await enrol(host, ann)
  return { host, enrolment, ...(await trustedAt(host, enrolment)) }
}

async function trustedAt(host: Host, enrolment: Enrolment) {
  const browser = browserOf(host)
  browser.set('User-Agent', FIREFOX)
  await passFirstStep(browser, ann).expect(200)
  const answer = await trust(browser, enrolment.code()).expect(200)
  host.system.advance(30 * SECOND)
  return { browser, cookie: cookieIn(answer) }
}

function trust(browser: Browser, code: string | undefined) {
  return postJson(browser, '/second-step/challenge', { code: code ?? '', trust: '1' })
}

function setCookies({ headers }: Response): readonly string[] {
  return ([] as string[]).concat(headers['set-cookie'] ?? [])
}

/** The name and value of the cookie that a response gives. */
function cookieIn(answer: Response, name = COOKIE): string {
  const line = setCookies(answer).find((one) => one.startsWith(`${name}=`))
  return line?.split(';')[0] ?? ''
}

/** The password, in a browser that has only this cookie. */
async function comesBack(host: Host, cookie: string) {
  const browser = browserOf(host)
  browser.set('Cookie', cookie)
  const answer = await passFirstStep(browser, ann)
  return { browser, answer, asked: answer.body.status === 'code-required' }
}

describe('trusted browsers', () => {
  it('are not offered, and nothing is trusted, unless the host says so', async () => {
    for (const option of [{}, { trustedBrowsers: false as const }]) {
      const host = makeHost({ options: option })
      const enrolment = await enrol(host, ann)
      const browser = await pendingBrowser(host)
      expect((await getJson(browser, '/second-step/challenge')).body.trustOffered).to.equal(false)
      expect((await getPage(browser, '/second-step/challenge')).text).not.to.contain('"trust"')
      const answer = await trust(browser, enrolment.code()).expect(200)
      expect(cookieIn(answer)).to.equal('')
      expect((await recordOf(host)).trustedBrowsers).to.deep.equal([])
      const forget = await postJson(browser, '/second-step/trusted-browsers/forget-all')
      expectProblem(forget, 'switched-off', 409)
    }
  })

  it('are offered by one box, never ticked, also after a wrong code', async () => {
    const host = makeHost({ options: { trustedBrowsers: { days: 3 } } })
    await enrol(host, ann)
    const browser = await pendingBrowser(host)
    expect((await getJson(browser, '/second-step/challenge')).body.trustOffered).to.equal(true)
    const shown = await getPage(browser, '/second-step/challenge')
    const wrong = await postForm(browser, '/second-step/challenge', { code: '000000', trust: '1' })
    for (const { text } of [shown, wrong]) {
      expect(text.match(/name="trust"/g)).to.have.length(1)
      expect(text).to.contain('<input type="checkbox" name="trust" value="1"> Don’t ask')
      expect(text).to.contain('for 3 days')
    }
  })

  // A client that got `signed-in` for `trust: true` took its browser for trusted.
  it('are not left out in silence where the box is neither ticked nor absent', async () => {
    const host = makeHost({ options: ON })
    const code = (await enrol(host, ann)).code()
    const browser = await pendingBrowser(host)
    for (const given of [true, false, 1, null, '', 'true', ['1']]) {
      const answer = await postJson(browser, CHALLENGE, { code, trust: given })
      expectMalformed(answer, 'trust')
    }
    const form = browser.post(CHALLENGE).type('form').send('code=&trust=1&trust=1')
    expect((await form.expect(400)).text).to.contain('Something is missing or mistyped')
    expect(cookieIn(await trust(browser, code).expect(200))).not.to.equal('')
  })

  it('sign in with the password alone, by the method that says so', async () => {
    const { host, cookie } = await trusted({}, { routes: tellMethod })
    const { browser, answer } = await comesBack(host, cookie)
    expect(answer.headers.location).to.equal('/inside')
    expect((await getJson(browser, '/method')).body).to.deep.equal({
      status: 'verified',
      method: 'trusted-browser',
      freshUntil: null,
      amr: [],
      authTime: null,
    })
    const { body } = await getJson(browser, '/second-step/')
    const [used] = body.events
    expect(used).to.include({ type: 'trusted-browser-used', method: 'trusted-browser' })
    // Whoever comes with a copy of the cookie says that they are another browser.
    expect(used.detail).to.deep.equal({ browser: 'Firefox (Windows)' })
    const { text } = await getPage(browser, '/second-step/').expect(200)
    expect(text).to.match(/<strong>[^<]+<\/strong>: <bdi>Firefox \(Windows\)<\/bdi>/)
  })

  // "You are asked for your second step when you sign in", above the list that says otherwise.
  it('are not told in their own settings that they are asked for it', async () => {
    const { host, cookie, enrolment } = await trusted()
    const { browser } = await comesBack(host, cookie)
    const other = await pendingBrowser(host)
    await giveCode(other, enrolment.code()).expect(200)
    const told = 'You are asked for your second step when you sign in'
    expect((await getPage(browser, '/second-step/')).text).not.to.contain(told)
    expect((await getPage(other, '/second-step/')).text).to.contain(told)
  })

  it('sign in where a login in front of the guard is the first step', async () => {
    const { host, cookie } = await trusted(
      {},
      {
        beforeGuard: ({ app }) => {
          app.use((req, _res, next) => {
            if (req.get('x-remembered') === undefined || req.isAuthenticated()) next()
            else req.logIn(ann, next)
          })
        },
      },
    )
    const stranger = browserOf(host)
    stranger.set('X-Remembered', 'ann')
    expect(await isIn(stranger)).to.equal(false)
    const browser = browserOf(host)
    browser.set({ Cookie: cookie, 'X-Remembered': 'ann' })
    const answer = await getJson(browser, '/inside').expect(200)
    expect(cookieIn(answer))
      .to.match(/=[\w-]{22}\.[\w-]{43}$/)
      .and.not.equal(cookie)
  })

  it('get a cookie for this host, over https, out of reach of scripts and other sites', async () => {
    const origin = 'https://acme.example'
    const { host, enrolment } = await trusted({ origin })
    const browser = await pendingBrowser(host)
    const answer = await trust(browser, enrolment.code()).expect(200)
    const name = '__Host-second-step-trust.second-step'
    const line = setCookies(answer).find((one) => one.startsWith(`${name}=`)) ?? ''
    const [pair, ...attributes] = line.split('; ')
    expect(pair).to.match(/=[\w-]{22}\.[\w-]{43}$/)
    const [maxAge] = attributes
    expect(maxAge).to.equal(`Max-Age=${(14 * DAY) / SECOND}`)
    const others = attributes.filter((one) => !/^(Max-Age|Expires)=/.test(one))
    expect(others).to.have.members(['Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax'])
    const renewed = (await comesBack(host, pair ?? '')).answer
    expect(cookieIn(renewed, name)).not.to.be.oneOf(['', pair])
  })

  it('are listed with name, dates and which one this is', async () => {
    const { host, browser, enrolment, cookie } = await trusted()
    host.system.advance(DAY)
    const second = await pendingBrowser(host)
    await trust(second, enrolment.code()).expect(200)
    const [here, there] = (await getJson(browser, '/second-step/')).body.trustedBrowsers
    const at = host.system.now()
    const iso = (time: number) => new Date(time).toISOString()
    expect(here).to.deep.equal({
      id: cookie.slice(COOKIE.length + 1).split('.')[0],
      name: 'Firefox (Windows)',
      createdAt: iso(at - DAY - 30 * SECOND),
      expiresAt: iso(at + 13 * DAY - 30 * SECOND),
      current: true,
    })
    expect(there).to.deep.include({ name: null, createdAt: iso(at), current: false })
    const { text } = await getPage(browser, '/second-step/')
    expect(text).to.contain('Firefox (Windows)</bdi> · this browser')
    expect(text).to.contain('Unknown browser')
    expect(text).to.contain('/second-step/trusted-browsers/forget-all')
  })

  it('are counted on the admin’s page of the user, and all end with the sessions', async () => {
    const { host, browser: admin } = await adminVisit(ON)
    const enrolment = await enrol(host, ann)
    const { cookie } = await trustedAt(host, enrolment)
    const page = () => getPage(admin, `${ADMIN}/users/ann`).expect(200)
    expect((await page()).text).to.contain('<dt>Trusted browsers</dt><dd>1</dd>')
    await postJson(admin, `${ADMIN}/users/ann/end-sessions`).expect(200)
    expect((await page()).text).not.to.contain('Trusted browsers')
    expect((await comesBack(host, cookie)).asked).to.equal(true)
  })

  it('are forgotten one by one, or all, also twice', async () => {
    const { host, browser, enrolment, cookie } = await trusted()
    const other = await trustedAt(host, enrolment)
    const [one] = (await recordOf(host)).trustedBrowsers
    const path = `/second-step/trusted-browsers/${one?.id}/forget`
    for (const taken of [true, false]) {
      const answer = await postJson(browser, path).expect(200)
      expect(answer.body).to.deep.equal({ status: 'forgotten' })
      expect(setCookies(answer).join().includes(`${COOKIE}=;`)).to.equal(taken)
    }
    expect((await comesBack(host, cookie)).asked).to.equal(true)
    expect((await comesBack(host, other.cookie)).asked).to.equal(false)
    // A GET of its address, as by a reload, changes nothing.
    await getPage(browser, path).expect(303).expect('Location', '/second-step/')
    expect((await recordOf(host)).trustedBrowsers).to.have.length(1)
    await postForm(browser, '/second-step/trusted-browsers/forget-all')
      .expect(303)
      .expect('Location', '/second-step/')
    expect((await getPage(browser, '/second-step/')).text).to.contain('a forgotten browser asks')
    expect((await recordOf(host)).trustedBrowsers).to.deep.equal([])
  })

  // The browser that the session rests on led to the challenge without a word, as if something had failed.
  it('say at the challenge that they were forgotten, where the session rests on them', async () => {
    const { host, cookie } = await trusted()
    const { browser } = await comesBack(host, cookie)
    const { headers } = await postForm(browser, '/second-step/trusted-browsers/forget-all')
    const said = 'a forgotten browser asks for the second step again'
    const at = String(headers.location)
    expect((await getPage(browser, at).expect(200)).text)
      .to.contain(said)
      .and.contain('"code"')
    const wrong = await postForm(browser, CHALLENGE, { code: '000000' })
    expect(wrong.text).not.to.contain(said)
  })

  it('are not forgotten by a stranger, a pending login or another site', async () => {
    const { host, browser } = await trusted()
    const path = '/second-step/trusted-browsers/forget-all'
    expectProblem(await postJson(browserOf(host), path), 'not-signed-in', 401)
    expectProblem(await postJson(await pendingBrowser(host), path), 'code-required', 401)
    const foreign = await postJson(browser, path).set('Origin', 'https://evil.example')
    expectProblem(foreign, 'cross-origin', 403)
    expect((await recordOf(host)).trustedBrowsers).to.have.length(1)
  })

  // A request that is held back must not outlive the session.
  it('are not forgotten by a session that was ended before the body came', async () => {
    const { host, browser, enrolment } = await trusted()
    const pending = await pendingBrowser(host)
    const answer = await trust(pending, enrolment.code()).expect(200)
    const cookie = cookieIn(answer, 'connect.sid')
    const path = '/second-step/trusted-browsers/forget-all'
    const parked = await park(host, path, { cookie, like: {} })
    await pending.post('/logout').expect(200)
    expect((await parked.finish({})).body.code).to.equal('sign-in-again')
    expect((await recordOf(host)).trustedBrowsers).to.have.length(2)
    expect(await isIn(browser)).to.equal(true)
  })

  it('are ten at most: one more takes the place of the oldest', async () => {
    const { host, enrolment, cookie } = await trusted()
    const others: string[] = []
    for (let more = 0; more < 10; more += 1) {
      others.push((await trustedAt(host, enrolment)).cookie)
    }
    expect((await recordOf(host)).trustedBrowsers).to.have.length(10)
    expect((await comesBack(host, cookie)).asked).to.equal(true)
    expect((await comesBack(host, others[0] ?? '')).asked).to.equal(false)
  })

  it('are trusted for no longer because they come back', async () => {
    const { host, cookie } = await trusted()
    host.system.advance(13 * DAY)
    const { answer } = await comesBack(host, cookie)
    const [, maxAge] = /Max-Age=(\d+)/.exec(setCookies(answer).join()) ?? []
    expect(Number(maxAge)).to.be.within((DAY - MINUTE) / SECOND, DAY / SECOND)
    host.system.advance(DAY)
    expect((await comesBack(host, cookieIn(answer))).asked).to.equal(true)
  })

  describe('of an app that was started anew', () => {
    const system = movedSystem()
    const [first, second] = [1, 2].map(() => randomBytes(32).toString('base64'))

    async function restarted(
      before: Partial<SecondStepOptions<HostUser>>,
      after: Partial<SecondStepOptions<HostUser>>,
      pass = 0,
    ) {
      const store = memoryStore()
      const shared = { store, keys: [first] }
      const { cookie } = await trusted({ ...shared, ...before }, { system })
      system.advance(pass)
      const host = makeHost({ system, options: { ...ON, ...shared, ...after } })
      return comesBack(host, cookie)
    }

    it('go on', async () => {
      expect((await restarted({}, {}, 4 * DAY)).asked).to.equal(false)
      expect((await restarted({}, { keys: [second, first] })).asked).to.equal(false)
    })

    it('send one cookie to two processes at once: all are in, and one gets the next cookie', async () => {
      const shared = { store: memoryStore(), keys: [first] }
      const { host, cookie } = await trusted(shared, { system })
      const other = makeHost({ system, options: { ...ON, ...shared } })
      const hosts = Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? host : other))
      const back = await Promise.all(hosts.map((one) => comesBack(one, cookie)))
      expect(back.filter(({ asked }) => asked)).to.have.length(0)
      const renewed = back.map(({ answer }) => cookieIn(answer)).filter((one) => one !== '')
      expect(renewed).to.have.length(1)
      expect((await comesBack(other, renewed[0] ?? '')).asked).to.equal(false)
    })

    // The attack: a copy of the cookie of an app of little worth, under the name that another app of the same users gives it.
    it('are trusted by one app alone of those that share users, records and keys', async () => {
      const shared = { store: memoryStore(), keys: [first] }
      const { cookie } = await trusted(shared, { system })
      const paths = { secondStep: '/staff/second-step' }
      const other = makeHost({ system, options: { ...ON, ...shared, paths } })
      const moved = cookie.replace(COOKIE, 'second-step-trust.staff.second-step')
      expect((await comesBack(other, moved)).asked).to.equal(true)
    })

    it('end when their key is dropped, which is no theft', async () => {
      const { answer, asked, browser } = await restarted({}, { keys: [second] })
      expect(asked).to.equal(true)
      expect(setCookies(answer).join()).to.contain(`${COOKIE}=;`)
      expect(await isIn(browser)).to.equal(false)
    })

    it('end at once where the host trusts for fewer days, or for none', async () => {
      expect((await restarted({}, { trustedBrowsers: { days: 3 } }, 3 * DAY)).asked).to.equal(true)
      expect((await restarted({}, { trustedBrowsers: false })).asked).to.equal(true)
      const longer = [{ trustedBrowsers: { days: 2 } }, {}, 2 * DAY] as const
      expect((await restarted(...longer)).asked).to.equal(true)
    })
  })

  // The attack: somebody with the password has asked for a reset by mail that waits. The owner signs in every day by a
  // trusted browser, and would see it at no login.
  it('are asked for the code while a reset by mail waits, which they see, and which the code ends', async () => {
    const { host, enrolment, cookie } = await trusted()
    await putWaitingReset(host)
    const { browser, asked } = await comesBack(host, cookie)
    expect(asked).to.equal(true)
    await giveCode(browser, enrolment.code()).expect(200)
    expect((await recordOf(host)).mailReset).to.equal(null)
    expect((await comesBack(host, cookie)).asked).to.equal(false)
  })

  // Their session went on for the fourteen days of before, and a longer time brought the trust back.
  it('end with their sessions where the host trusts for fewer days, or for none', async () => {
    for (const trustedBrowsers of [{ days: 3 }, false] as const) {
      const [system, store] = [movedSystem(), memoryStore()]
      const keys = [randomBytes(32).toString('base64')]
      const sessionStore = new MemoryStore()
      const given = { system, sessionStore }
      const { host: before, cookie } = await trusted({ store, keys }, given)
      const { browser, answer } = await comesBack(before, cookie)
      system.advance(3 * DAY)
      expect(await isIn(browser)).to.equal(true)

      const after = makeHost({ ...given, options: { store, keys, trustedBrowsers } })
      const again = browserOf(after)
      again.set(
        'Cookie',
        setCookies(answer)
          .map((line) => line.split(';')[0])
          .join('; '),
      )
      expect(await isIn(again)).to.equal(false)
      expect((await recordOf(after)).trustedBrowsers).to.deep.equal([])
      const longer = makeHost({ ...given, options: { ...ON, store, keys } })
      expect((await comesBack(longer, cookieIn(answer))).asked).to.equal(true)
    }
  })

  it('are trusted after a security key as well, and no more once a copy of the key is seen', async () => {
    const host = hostWithKeys({ options: ON })
    const { key } = await setUpKey(host)
    const browser = await pendingBrowser(host)
    const credential = key.sign(await askedAt(browser))
    const answer = await postJson(browser, CHALLENGE, { credential, trust: '1' }).expect(200)
    const cookie = cookieIn(answer, `__Host-${COOKIE}`)
    const copy = key.clone()
    const back = await comesBack(host, cookie)
    expect(back.asked).to.equal(false)
    await answerWith(await pendingBrowser(host), copy)
    await answerWith(await pendingBrowser(host), key)
    expect(await isIn(back.browser)).to.equal(false)
    expect((await comesBack(host, cookieIn(back.answer, `__Host-${COOKIE}`))).asked).to.equal(true)
  })

  it('end with a changed password also for the session that has changed it', async () => {
    const routes: HostOptions['routes'] = ({ app, secondStep }) => {
      app.post('/password', async (req, res) => {
        await secondStep.passwordChanged('ann', { except: req })
        res.json({ user: (req.user as HostUser | undefined)?.id })
      })
    }
    const { host, cookie, browser } = await trusted({}, { routes })
    const back = await comesBack(host, cookie)
    await postJson(back.browser, '/password').expect(200, { user: 'ann' })
    expect(await isIn(back.browser), 'by the trust alone').to.equal(false)
    expect((await getJson(back.browser, '/second-step/')).body.code).to.equal('code-required')
    expect((await comesBack(host, cookieIn(back.answer))).asked).to.equal(true)
    expect(await isIn(browser)).to.equal(false)
  })

  it('are of no use to a user who has got a role since whose rule says what it accepts', async () => {
    let roles: readonly string[] = []
    const findById = async () => ({ ...ann, roles })
    const options = { users: { findById }, roles: ['staff'] }
    const host = makeHost({ options: { ...ON, ...options } })
    await setPolicy(host, { accepts: { staff: ['totp'] } })
    const enrolment = await enrol(host, ann)
    const { cookie } = await trustedAt(host, enrolment)
    const back = await comesBack(host, cookie)
    expect(back.asked).to.equal(false)
    const next = cookieIn(back.answer)
    roles = ['staff']
    expect(await isIn(back.browser), 'the session of the trust').to.equal(false)
    const again = await comesBack(host, next)
    expect(again.asked).to.equal(true)
    const { body } = await getJson(again.browser, CHALLENGE)
    expect(body.trustOffered).to.equal(false)
    expect(cookieIn(await trust(again.browser, enrolment.code()).expect(200))).to.equal('')
  })

  it('have a cookie of their own in each app at one host', async () => {
    const names = [
      [{}, COOKIE],
      [{ realm: 'staff' }, 'second-step-trust.staff.second-step'],
      [{ origin: 'http://localhost:3000' }, 'second-step-trust.3000.second-step'],
    ] as const
    for (const [options, name] of names) {
      const { host, enrolment } = await trusted(options)
      const answer = await trust(await pendingBrowser(host), enrolment.code()).expect(200)
      expect(
        setCookies(answer).some((line) => line.startsWith(`${name}=`)),
        name,
      ).to.equal(true)
    }
  })

  it('are not trusted again by a cookie that was made up', async () => {
    const { host, cookie } = await trusted()
    const [id] = cookie.slice(COOKIE.length + 1).split('.')
    const secret = randomBytes(32).toString('base64url')
    const values = [
      '',
      'a',
      '.',
      `${id}`,
      `${id}.`,
      `.${secret}`,
      `${secret}.${id}`,
      'a'.repeat(4000),
    ]
    for (const value of values) {
      expect((await comesBack(host, `${COOKIE}=${value}`)).asked, value).to.equal(true)
    }
    expect((await recordOf(host)).trustedBrowsers).to.have.length(1)
    // Somebody who knows the id alone, which the settings show, ends the trust and gets in by nothing.
    expect((await comesBack(host, `${COOKIE}=${id}.${secret}`)).asked).to.equal(true)
    expect((await recordOf(host)).trustedBrowsers).to.deep.equal([])
  })

  it('keep their session while it is fresh by a code, whatever becomes of the trust', async () => {
    const { host, cookie, enrolment } = await trusted()
    const { browser } = await comesBack(host, cookie)
    await postJson(browser, '/second-step/fresh', { code: enrolment.code() }).expect(200)
    await postJson(browser, '/second-step/trusted-browsers/forget-all').expect(200)
    expect(await isIn(browser)).to.equal(true)
    expect((await giveCode(browser, '000000')).body.code).to.equal('already-signed-in')
  })
})

const tellMethod: NonNullable<HostOptions['routes']> = ({ app }) => {
  app.get('/method', ({ secondStep }, res) => {
    const { status, method, freshUntil, amr, authTime } = { ...secondStep }
    res.json({ status, method, freshUntil, amr, authTime })
  })
}
