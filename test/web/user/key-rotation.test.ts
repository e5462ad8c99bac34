// The mistake: an operator changes the key of the ring, `reseal` and `check` say that all is whole, and
// the old key is dropped. Backup codes are digests under that key: they are dead, and the user, whose
// settings go on saying "10 left", finds out with a lost phone in hand.

import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { memoryStore, type RecordStore } from '../../../lib/index.js'
import { ADMIN, ada, makeAdminHost } from '../../support/admin.js'
import { administrationAt, oneTimeCodeFor } from '../../support/administration.js'
import { expectProblem, getJson, getPage, postJson } from '../../support/answers.js'
import {
  type Browser,
  browserOf,
  type Enrolment,
  enrol,
  giveCode,
  passFirstStep,
  signIn,
} from '../../support/browser.js'
import { movedSystem, SECOND } from '../../support/clock.js'
import { ann, type Host } from '../../support/host.js'
import { pendingBrowser, recordOf } from '../../support/visits.js'

const newKey = () => randomBytes(32).toString('base64')
const CHALLENGE = '/second-step/challenge'
const OLDER = 'will stop working soon'
const GONE = 'Your backup codes no longer work'
const FACTS = 'Backup codes of an earlier key'
const NO_FACTS = 'Backup codes no longer work'

/** Ann and Ada have set up under the old key, and have signed in since there is a new one. */
class Rotation {
  readonly store: RecordStore = memoryStore()
  readonly system = movedSystem()
  readonly #old = newKey()
  readonly #new = newKey()
  readonly before = this.#host([this.#old])
  readonly during = this.#host([this.#new, this.#old])
  readonly after = this.#host([this.#new])
  readonly #enrolments = new Map<string, Enrolment>()

  async begin(): Promise<this> {
    for (const user of [ann, ada]) {
      this.#enrolments.set(user.id, await enrol(this.before, user))
    }
    for (const user of [ann, ada]) await this.signedIn(this.during, user)
    return this
  }

  async signedIn(host: Host, user = ann): Promise<Browser> {
    const browser = browserOf(host)
    await signIn(browser, user, this.of(user))
    this.system.advance(30 * SECOND)
    return browser
  }

  of(user = ann): Enrolment {
    const enrolment = this.#enrolments.get(user.id)
    if (enrolment === undefined) throw new Error('not enrolled')
    return enrolment
  }

  /** For Ann, by an admin at a process that has the old key alone. */
  oneTimeCode(): Promise<string> {
    return oneTimeCodeFor({ administration: administrationAt(this.before, [this.#old]) })
  }

  #host(keys: readonly string[]): Host {
    return makeAdminHost({ store: this.store, keys }, { system: this.system })
  }
}

const begun = () => new Rotation().begin()

async function triesLeftOf(pending: Browser): Promise<number> {
  return (await getJson(pending, CHALLENGE).expect(200)).body.triesLeft
}

describe('backup codes made under an earlier key', () => {
  it('work while it is in the ring, and the settings tell to make new ones', async () => {
    const rotation = await begun()
    const browser = await rotation.signedIn(rotation.during)
    const { body } = await getJson(browser, '/second-step').expect(200)
    expect(body.backupCodesLeft).to.equal(10)
    expect((await getPage(browser, '/second-step')).text)
      .to.contain(OLDER)
      .and.not.contain(GONE)
    const { body: made } = await postJson(browser, '/second-step/backup-codes', {
      code: rotation.of().code(),
    }).expect(200)
    expect((await getPage(browser, '/second-step')).text).to.not.contain(OLDER)

    const later = browserOf(rotation.after)
    await passFirstStep(later, ann).expect(200)
    await giveCode(later, made.backupCodes[0]).expect(200)
  })

  it('count as none after the key is gone', async () => {
    const rotation = await begun()
    const { after } = rotation
    const [backupCode] = rotation.of().backupCodes
    const pending = browserOf(after)
    await passFirstStep(pending, ann).expect(200)
    const challenge = await getJson(pending, CHALLENGE).expect(200)
    expect(challenge.body.methods).to.deep.equal(['totp'])
    const refused = await giveCode(pending, backupCode)
    expectProblem(refused, 'wrong-code', 401)
    expect(refused.body.detail).to.contain('You have no backup codes that work')
    expect(await triesLeftOf(pending), 'it could not be right, so it is no guess').to.equal(5)

    const browser = browserOf(after)
    await passFirstStep(browser, ann).expect(200)
    const signedIn = await giveCode(browser, rotation.of().code()).expect(200)
    expect(signedIn.body.backupCodesLeft).to.equal(0)
    const { body } = await getJson(browser, '/second-step').expect(200)
    expect(body.backupCodesLeft).to.equal(0)
    expect((await after.secondStep.status('ann')).backupCodesLeft).to.equal(0)
    const page = (await getPage(browser, '/second-step')).text
    expect(page).to.contain(GONE).and.contain('<dd>none</dd>').and.not.contain(OLDER)
  })

  it('are the first page after a sign-in of a user who has none', async () => {
    const rotation = await begun()
    const browser = browserOf(rotation.after)
    await passFirstStep(browser, ann).expect(200)
    const answer = await browser
      .post(CHALLENGE)
      .set('Accept', 'text/html')
      .type('form')
      .send({ code: rotation.of().code() })
      .expect(303)
    expect(answer.headers.location).to.equal('/second-step/')
  })

  it('show in the list of users and on the page of the user, to admins', async () => {
    const rotation = await begun()
    for (const [host, left, words, others] of [
      [rotation.during, 10, FACTS, NO_FACTS],
      [rotation.after, 0, NO_FACTS, FACTS],
    ] as const) {
      const browser = await rotation.signedIn(host, ada)
      const { body } = await getJson(browser, `${ADMIN}/users/ann`).expect(200)
      expect(body.backupCodesLeft).to.equal(left)
      for (const path of [`${ADMIN}/users/ann`, `${ADMIN}/users`]) {
        const { text } = await getPage(browser, path)
        expect(text, path).to.contain(words).and.not.contain(others)
      }
    }
  })

  it('show to nobody where none of them is left, or none was ever made', async () => {
    const rotation = await begun()
    const browser = await rotation.signedIn(rotation.during)
    for (const code of rotation.of().backupCodes) {
      const pending = browserOf(rotation.during)
      await passFirstStep(pending, ann).expect(200)
      await giveCode(pending, code).expect(200)
    }
    expect((await getPage(browser, '/second-step')).text).to.not.contain(OLDER)
    const admin = await rotation.signedIn(rotation.during, ada)
    expect((await getPage(admin, `${ADMIN}/users/ann`)).text).to.not.contain(FACTS)
    expect((await getPage(admin, `${ADMIN}/users/bob`)).text).to.not.contain(FACTS)
  })
})

describe('backup codes of version 0.1.0, which did not note the key', () => {
  async function forgotten(): Promise<Rotation> {
    const rotation = await begun()
    const record = await recordOf(rotation.before)
    if (record.backupCodes === null) throw new Error('there are codes')
    const { keyId: _, ...backupCodes } = record.backupCodes
    const { authenticators, ...rest } = record
    const old = { ...rest, authenticator: authenticators[0], backupCodes, writeId: 'old' }
    const next = { ...old, version: record.version + 1 } as object as typeof record
    await rotation.store.write(next, record.version)
    return rotation
  }

  it('count as left, for nobody knows better', async () => {
    const rotation = await forgotten()
    const browser = await rotation.signedIn(rotation.after)
    expect((await getJson(browser, '/second-step')).body.backupCodesLeft).to.equal(10)
    const page = (await getPage(browser, '/second-step')).text
    expect(page).to.not.contain(OLDER).and.not.contain(GONE)
  })

  it('note it at the next use', async () => {
    const rotation = await forgotten()
    const pending = browserOf(rotation.during)
    await passFirstStep(pending, ann).expect(200)
    await giveCode(pending, rotation.of().backupCodes[0]).expect(200)
    const browser = await rotation.signedIn(rotation.after)
    expect((await getJson(browser, '/second-step')).body.backupCodesLeft).to.equal(0)
  })
})

// The page went on to offer the form, and each of its codes cost a try of the sign-in.
describe('a one-time code made under an earlier key', () => {
  const offered = async (browser: Browser) =>
    (await getPage(browser, CHALLENGE).expect(200)).text.includes('the code you were given')

  it('works while it is in the ring', async () => {
    const rotation = await begun()
    const code = await rotation.oneTimeCode()
    const browser = await pendingBrowser(rotation.during)
    expect(await offered(browser)).to.equal(true)
    expect((await giveCode(browser, code).expect(200)).body.status).to.equal('setup-required')
  })

  it('is not offered after the key is gone, and costs no try', async () => {
    const rotation = await begun()
    const code = await rotation.oneTimeCode()
    const browser = await pendingBrowser(rotation.after)
    expect(await offered(browser)).to.equal(false)
    const refused = await giveCode(browser, code)
    expectProblem(refused, 'wrong-code', 401)
    expect(refused.body.detail).to.contain('ask for a new one')
    expect(await triesLeftOf(browser)).to.equal(5)
  })
})
