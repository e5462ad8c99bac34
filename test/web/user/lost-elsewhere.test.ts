import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { expectProblem, getJson, getPage, postForm, postJson } from '../../support/answers.js'
import { type Browser, browserOf, giveCode, passFirstStep } from '../../support/browser.js'
import { DAY, MINUTE } from '../../support/clock.js'
import { bob, makeHost } from '../../support/host.js'
import { type LostVisit, lostHost, lostVisit, member } from '../../support/lost.js'
import { editSession, sessionsOf } from '../../support/sessions.js'
import { pendingBrowser, setPolicy } from '../../support/visits.js'

const HINT = /open the link (in the e-mail )?again/
const CHALLENGE = '/second-step/challenge'

/** A mailed link, and another browser: the one that mail programs open links in. */
async function elsewhere(
  ...given: Parameters<typeof lostVisit>
): Promise<LostVisit & { other: Browser }> {
  const visit = await lostVisit(...given)
  await visit.ask()
  return { ...visit, other: browserOf(visit.host) }
}

async function saysHint(browser: Browser): Promise<boolean> {
  const { text } = await getPage(browser, CHALLENGE).expect(200)
  return HINT.test(text)
}

// Whoever opened the link was told to sign in and to open it again, signed in, and was asked for the
// code that they have not got, by a page that knew nothing of the link.
describe('a link of a reset that is opened in another browser', () => {
  it('is known to the sign-in that follows, which says how to go on', async () => {
    const { other, link } = await elsewhere()
    expect((await getPage(other, link()).expect(200)).text).to.match(HINT)
    await passFirstStep(other, member).expect(200)
    expect(await saysHint(other)).to.equal(true)
    expect(await saysHint(other), 'also after a reload').to.equal(true)
    expect((await getPage(other, link())).text).to.include(`action="${link()}"`)
    const pressed = await postForm(other, link()).expect(303)
    expect(pressed.headers.location).to.equal('/second-step/setup')
  })

  it('says in which browser it works, where the button is pressed here all the same', async () => {
    const { other, link } = await elsewhere()
    const json = await postJson(other, link())
    expectProblem(json, 'not-signed-in', 401)
    expect(json.body.detail).to.match(/^Open the link in the browser where you signed in/)
    const page = await postForm(other, link()).expect(401)
    expect(page.text).to.include(json.body.detail)
  })

  it('is known after a wrong code, and after "Cancel" and another sign-in', async () => {
    const { other, link } = await elsewhere()
    await getPage(other, link())
    await passFirstStep(other, member)
    const wrong = await postForm(other, CHALLENGE, { code: '000000' })
    expect(wrong.text).to.match(HINT)
    await postForm(other, '/second-step/cancel').expect(303)
    await getJson(other, CHALLENGE).expect(401)
    await passFirstStep(other, member)
    expect(await saysHint(other)).to.equal(true)
  })

  it('is known to a browser in which somebody else was signing in', async () => {
    const { other, link } = await elsewhere({}, [member, bob])
    await other.post('/login').send({ username: 'bob', password: bob.password })
    await other.post('/logout')
    await getPage(other, link())
    await passFirstStep(other, member).expect(200)
    expect(await saysHint(other)).to.equal(true)
  })

  it('leaves neither a token nor a digest of one in any session', async () => {
    const { host, other, link } = await elsewhere()
    await getPage(other, link())
    await passFirstStep(other, member)
    const token = link().split('/').at(-1) ?? ''
    const kept = JSON.stringify(sessionsOf(host))
    // The first part is the user's id.
    for (const part of [token, ...token.split('.').slice(1)]) expect(kept).to.not.include(part)
    const record = await host.store.find('ann')
    for (const digest of record?.mailReset?.digests ?? []) expect(kept).to.not.include(digest)
    expect(sessionsOf(host).some(({ secondStep }) => secondStep?.openedLink)).to.equal(true)
  })

  it('opens nothing by being known: the link itself is needed', async () => {
    // A stranger with the password plants what the session remembers, in a session of their own.
    const { host, other, browser, link } = await elsewhere()
    await getPage(other, link())
    const planted = sessionsOf(host).find(({ secondStep }) => secondStep?.openedLink)
    const openedLink = planted?.secondStep?.openedLink
    if (openedLink === undefined) throw new Error('nothing is remembered')
    editSession(host, (session) => {
      session.secondStep = { ...session.secondStep, openedLink }
    })
    expect(await saysHint(browser)).to.equal(true)
    const { id } = (await host.store.find('ann'))?.mailReset ?? {}
    for (const token of ['', 'x', openedLink.reset, openedLink.userId, id]) {
      const answer = await postJson(browser, `/second-step/lost/${token}`)
      expect(answer.status, token).to.be.oneOf([400, 410])
    }
    await getJson(browser, '/inside').expect(401)
  })
})

// Its page had the button, which was refused, and the challenge said to open the link again.
describe('a link of a reset that a rule has closed meanwhile', () => {
  it('offers no button to the user’s own login, and says that it is switched off', async () => {
    const staff = { ...member, roles: ['staff'] }
    const { host, other, link } = await elsewhere({ roles: ['staff', 'admin'] }, [staff])
    await getPage(other, link()).expect(200)
    await passFirstStep(other, staff).expect(200)
    expect(await saysHint(other)).to.equal(true)
    await setPolicy(host, { accepts: { staff: ['totp'] } })
    expect((await getJson(other, link()).expect(200)).body.canReset).to.equal(false)
    for (const page of [await getPage(other, link()), await postForm(other, link())]) {
      expect(page.status).to.equal(409)
      expect(page.text).to.include('This is switched off here.').and.include(`${link()}/cancel`)
      expect(page.text).to.not.match(/class="danger"|press this button|then open the link again/)
    }
    expect(await saysHint(other)).to.equal(false)
  })
})

describe('the challenge says nothing of a link', () => {
  it('in a browser that has opened none', async () => {
    const { browser } = await elsewhere()
    expect(await saysHint(browser)).to.equal(false)
  })

  it('to another user who signs in in that browser', async () => {
    const carl = { ...bob, id: 'carl', email: 'carl@acme.example' }
    const { host, other, link } = await elsewhere({}, [member, carl])
    await getPage(other, link())
    editSession(host, (session) => {
      const { openedLink } = session.secondStep ?? {}
      if (openedLink === undefined) return
      session.secondStep = { ...session.secondStep, openedLink: { ...openedLink, userId: 'carl' } }
    })
    await passFirstStep(other, member).expect(200)
    expect(await saysHint(other)).to.equal(false)
  })

  it('whose key has left the ring', async () => {
    const keys = [randomBytes(32).toString('base64')]
    const newer = randomBytes(32).toString('base64')
    const { host, ask } = await lostVisit({ keys })
    await ask()
    const reset = (await host.store.find('ann'))?.mailReset?.id ?? ''
    for (const [ring, known] of [
      [[newer, ...keys], true],
      [[newer], false],
    ] as const) {
      const { options } = lostHost({ keys: ring, store: host.store })
      const other = makeHost({ ...options, system: host.system })
      const browser = await pendingBrowser(other)
      editSession(other, (session) => {
        session.secondStep = { ...session.secondStep, openedLink: { userId: 'ann', reset } }
      })
      expect(await saysHint(browser)).to.equal(known)
    }
  })

  it('that was cancelled meanwhile, or is too old', async () => {
    const cancelled = await elsewhere()
    await getPage(cancelled.other, cancelled.link())
    await passFirstStep(cancelled.other, member)
    await postForm(cancelled.other, `${cancelled.link()}/cancel`).expect(303)
    expect(await saysHint(cancelled.other)).to.equal(false)

    const late = await elsewhere()
    await getPage(late.other, late.link())
    late.host.system.advance(30 * MINUTE)
    await passFirstStep(late.other, member)
    expect(await saysHint(late.other)).to.equal(false)
  })

  it('that still waits: there it says from when on it can be used', async () => {
    const { host, other, link } = await elsewhere({ lost: { delay: '24h' } })
    await getPage(other, link())
    await passFirstStep(other, member)
    expect(await saysHint(other)).to.equal(false)
    host.system.advance(DAY)
    await passFirstStep(other, member)
    expect(await saysHint(other)).to.equal(true)
  })

  it('in JSON, whose members are a contract', async () => {
    const { other, link } = await elsewhere()
    await getPage(other, link())
    await passFirstStep(other, member)
    const { body } = await getJson(other, CHALLENGE)
    expect(Object.keys(body)).to.not.include('openedLink')
  })

  it('after a login by both steps', async () => {
    const { host, other, link, enrolment } = await elsewhere()
    await getPage(other, link())
    await passFirstStep(other, member)
    await giveCode(other, enrolment.code()).expect(200)
    expect(sessionsOf(host).some(({ secondStep }) => secondStep?.openedLink)).to.equal(false)
  })
})

describe('a link of a reset makes no session', () => {
  it('where it is dead, or a program fetches it', async () => {
    // Mail scanners fetch every link, some of them again and again: each would leave a session.
    const { host, other, link } = await elsewhere()
    const before = sessionsOf(host).length
    const fetched = [
      await getPage(other, '/second-step/lost/nonsense').expect(410),
      await getJson(other, link()).expect(200),
      await other.get(link()).set('Accept', '*/*').expect(200),
      await other.head(link()).set('Accept', 'text/html').expect(200),
      await getPage(other, link()).set('Sec-Purpose', 'prefetch').expect(200),
    ]
    for (const { headers } of fetched) expect(headers).to.not.have.property('set-cookie')
    expect(sessionsOf(host)).to.have.length(before)
  })

  it('more than one for a browser, and none is written again', async () => {
    const { host, other, link } = await elsewhere()
    await getPage(other, link()).expect(200)
    const before = sessionsOf(host).length
    const again = await getPage(other, link()).expect(200)
    expect(again.headers).to.not.have.property('set-cookie')
    expect(sessionsOf(host)).to.have.length(before)
  })

  it('of somebody who is signed in, or is where the link belongs, any different', async () => {
    const { host, browser, link } = await elsewhere()
    await getPage(browser, link()).expect(200)
    expect(JSON.stringify(sessionsOf(host))).to.not.include('openedLink')
  })
})
