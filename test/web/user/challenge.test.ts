import { expect } from 'chai'
import { memoryStore, type RecordStore } from '../../../lib/index.js'
import { expectProblem, getJson, postForm, postJson } from '../../support/answers.js'
import { enrol, giveCode, JSON_TYPE, passFirstStep, signIn } from '../../support/browser.js'
import { SECOND } from '../../support/clock.js'
import { ann, bob, type HostParts, makeHost } from '../../support/host.js'
import {
  enrolledVisit,
  missTimes,
  pendingBrowser,
  pendingVisit,
  recordOf,
  setPolicy,
  signedInVisit,
  wrongCodeOf,
} from '../../support/visits.js'

const STEP = 30 * SECOND

describe('the challenge', () => {
  it('lets a user in who gives the code of their authenticator', async () => {
    const { host, enrolment, browser } = await enrolledVisit()
    const login = await passFirstStep(browser, ann).expect(200)
    expect(login.body).to.deep.equal({ status: 'code-required', next: '/second-step/challenge' })
    await browser.get('/inside').set('Accept', JSON_TYPE).expect(401)
    const answer = await giveCode(browser, enrolment.code()).expect(200)
    expect(answer.body).to.deep.equal({
      status: 'signed-in',
      method: 'totp',
      backupCodesLeft: 10,
      next: '/inside',
    })
    const inside = await browser.get('/inside').expect(200)
    expect(inside.body).to.deep.equal({ user: 'ann', status: 'verified' })
    expect((await recordOf(host)).attempts.misses).to.deep.equal([])
  })

  for (const written of [
    '123 456',
    '123-456',
    ' 123456 ',
    '1 2 3 4 5 6',
    '123\t456\n',
    '123\u00a0456',
  ]) {
    it(`forgives blanks and dashes in a code: ${JSON.stringify(written)}`, async () => {
      const { browser, enrolment } = await pendingVisit()
      const digits = [...enrolment.code()]
      const typed = written.replace(/\d/g, () => digits.shift() ?? '')
      await giveCode(browser, typed).expect(200)
    })
  }

  it('takes the code of the step before and after, and none further away', async () => {
    for (const [steps, right] of [
      [-2, false],
      [-1, true],
      [1, true],
      [2, false],
    ] as const) {
      const { host, browser, enrolment } = await pendingVisit()
      host.system.advance(10 * STEP)
      const code = enrolment.code()
      host.system.advance(-steps * STEP)
      const answer = await giveCode(browser, code)
      expect(answer.status, `${steps} steps`).to.equal(right ? 200 : 401)
    }
  })

  it('takes a code with leading zeros whole, and never its last digits alone', async () => {
    // passport-totp refused 012345 and accepted 12345.
    const { host, enrolment } = await enrolledVisit()
    while (!enrolment.code().startsWith('0')) host.system.advance(STEP)
    const later = await pendingBrowser(host)
    const short = await giveCode(later, enrolment.code().slice(1))
    expectProblem(short, 'malformed-request', 400)
    await giveCode(later, enrolment.code()).expect(200)
  })

  const forms: Record<string, (code: string) => string> = {
    'as it is shown': (code) => code,
    'in lower case': (code) => code.toLowerCase(),
    'without dashes': (code) => code.replaceAll('-', ''),
    'with blanks': (code) => ` ${code.replaceAll('-', ' ')} `,
    'with other dashes': (code) => code.replaceAll('-', '').replace(/.{4}/g, '$&-'),
    'with O for 0': (code) => code.replaceAll('0', 'O'),
    'with o for 0': (code) => code.replaceAll('0', 'o'),
    'with I for 1': (code) => code.replaceAll('1', 'I'),
    'with l for 1': (code) => code.replaceAll('1', 'l'),
  }
  it('takes a backup code in every form that is forgiven, each code once', async () => {
    const { host, enrolment } = await enrolledVisit()
    for (const [index, [name, form]] of Object.entries(forms).entries()) {
      const browser = await pendingBrowser(host)
      const answer = await giveCode(browser, form(enrolment.backupCodes[index] ?? ''))
      expect(answer.body, name).to.deep.equal({
        status: 'signed-in',
        method: 'backup-code',
        backupCodesLeft: 9 - index,
        next: '/inside',
      })
    }
  })

  it('refuses a used backup code in any form, and counts no miss for it', async () => {
    const { host, enrolment } = await enrolledVisit()
    const [code = ''] = enrolment.backupCodes
    await giveCode(await pendingBrowser(host), code).expect(200)
    const before = await recordOf(host)
    const browser = await pendingBrowser(host)
    for (const form of Object.values(forms)) {
      expectProblem(await giveCode(browser, form(code)), 'wrong-code', 401)
    }
    expect(await recordOf(host)).to.deep.equal(before)
    await giveCode(browser, enrolment.backupCodes[1]).expect(200)
  })

  it('refuses a backup code on somebody else’s account', async () => {
    // Gogs CVE-2025-64175: anybody's recovery code opened any account.
    const host = makeHost()
    const [, ofBob] = [await enrol(host, ann), await enrol(host, bob)]
    const browser = await pendingBrowser(host, ann)
    expectProblem(await giveCode(browser, ofBob.backupCodes[0]), 'wrong-code', 401)
    await giveCode(await pendingBrowser(host, bob), ofBob.backupCodes[0]).expect(200)
  })

  it('refuses backup codes where the host or the policy has none, costing no try', async () => {
    const visit = await pendingVisit()
    const { host, enrolment } = visit
    await setPolicy(host, { backupCodes: false })
    const answer = await giveCode(visit.browser, enrolment.backupCodes[0])
    expectProblem(answer, 'switched-off', 409)
    const shown = await getJson(visit.browser, '/second-step/challenge').expect(200)
    expect(shown.body.methods).to.deep.equal(['totp'])
    await missTimes(5, visit)
    await setPolicy(host, { backupCodes: true })
    const again = await pendingBrowser(host)
    await giveCode(again, enrolment.backupCodes[0]).expect(200)
  })
})

describe('a code that was used', () => {
  // Somebody reads a code over a shoulder, or from the wire, and gives it once more.
  it('is refused in another login, as often as it is tried, and counts no miss', async () => {
    const { host, browser, enrolment } = await pendingVisit({ options: { ipLimit: 3 } })
    const code = enrolment.code()
    await giveCode(browser, code).expect(200)
    const before = await recordOf(host)
    const again = await pendingBrowser(host)
    for (const form of [
      code,
      `${code.slice(0, 3)} ${code.slice(3)}`,
      code,
      code,
      code,
      code,
      code,
    ]) {
      expectProblem(await giveCode(again, form), 'wrong-code', 401)
    }
    expect(await recordOf(host)).to.deep.equal(before)
    host.system.advance(STEP)
    await giveCode(again, enrolment.code()).expect(200)
  })

  it('is refused later in its window too, and so is the code of the step before', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    const older = enrolment.code()
    host.system.advance(STEP)
    const used = enrolment.code()
    await giveCode(browser, used).expect(200)
    const again = await pendingBrowser(host)
    expectProblem(await giveCode(again, older), 'wrong-code', 401)
    host.system.advance(STEP)
    expectProblem(await giveCode(again, used), 'wrong-code', 401)
  })

  it('is refused at /fresh, also when it is a backup code', async () => {
    const { host, enrolment, browser } = await enrolledVisit()
    const code = enrolment.code()
    await signIn(browser, ann, enrolment)
    expectProblem(await postJson(browser, '/second-step/fresh', { code }), 'wrong-code', 401)
    const other = await pendingBrowser(host)
    await giveCode(other, enrolment.backupCodes[0]).expect(200)
    const backup = { code: enrolment.backupCodes[0] }
    expectProblem(await postJson(other, '/second-step/fresh', backup), 'wrong-code', 401)
    expect((await recordOf(host)).attempts.misses).to.deep.equal([])
  })

  it('is refused at a login after it was used at /fresh', async () => {
    const { host, browser, enrolment } = await signedInVisit()
    const code = enrolment.code()
    await postJson(browser, '/second-step/fresh', { code }).expect(200)
    expectProblem(await giveCode(await pendingBrowser(host), code), 'wrong-code', 401)
  })

  it('is refused at the first login after it confirmed the set-up', async () => {
    // hanko #2723: the set-up's code was good for a login as well.
    const { host, enrolment } = await enrolledVisit()
    host.system.advance(-STEP)
    const browser = await pendingBrowser(host)
    expectProblem(await giveCode(browser, enrolment.code()), 'wrong-code', 401)
    expect((await recordOf(host)).attempts.misses).to.deep.equal([])
  })

  it('is refused on a page with the same status and the same text as a wrong one', async () => {
    const { host, browser, enrolment } = await pendingVisit()
    const code = enrolment.code()
    await giveCode(browser, code).expect(200)
    const again = await pendingBrowser(host)
    const replayed = await postForm(again, '/second-step/challenge', { code }).expect(401)
    const wrong = { code: wrongCodeOf(host, enrolment) }
    const mistaken = await postForm(again, '/second-step/challenge', wrong).expect(401)
    expect(replayed.text).to.equal(mistaken.text)
  })
})

// The attack: somebody who holds the stores up keeps the answer to a wrong code beyond its two seconds, because the page
// asks them one after the other.
it('the page after a wrong code asks for record and name at once', async () => {
  let tellOf: () => void = () => undefined
  const nameAsked = new Promise<void>((resolve) => {
    tellOf = resolve
  })
  let isOver = false
  const memory = memoryStore()
  const afterName = async <T>(answer: Promise<T>): Promise<T> => {
    if (isOver) await nameAsked
    return answer
  }
  const store: RecordStore = { ...memory, find: (userId) => afterName(memory.find(userId)) }
  delete store.read
  const routes = ({ passport }: HostParts) => {
    const deserialise = passport.deserializeUser.bind(passport) as (...given: unknown[]) => void
    Reflect.set(passport, 'deserializeUser', (...given: unknown[]) => {
      if (isOver) tellOf()
      deserialise(...given)
    })
  }
  const { host, browser, enrolment } = await pendingVisit({ options: { store }, routes })
  host.secondStep.events.on('wrong-code', () => {
    isOver = true
  })
  const code = wrongCodeOf(host, enrolment)
  await postForm(browser, '/second-step/challenge', { code }).expect(401)
})
