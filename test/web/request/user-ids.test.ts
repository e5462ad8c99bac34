import { expect } from 'chai'
import { memoryStore } from '../../../lib/index.js'
import { getJson, postJson } from '../../support/answers.js'
import { browserOf, enrol, giveCode, passFirstStep, signIn } from '../../support/browser.js'
import { ann, type HostUser, makeHost } from '../../support/host.js'
import { pendingBrowser } from '../../support/visits.js'

const odd = [
  '*',
  'a:b',
  '__proto__',
  'constructor',
  'a\nb',
  '\u0000',
  ' ',
  '0',
  '../ann',
  '\u00e4',
  'a\u0308',
  '👩‍💻',
]

const userOf = (id: string): HostUser => ({ id, name: 'Odd', password: 'odd-password' })

/** A host whose users sign in by name, and have whatever ids they have. */
function hostOf(id: unknown) {
  const user = { id: 'odd', name: 'Odd', password: 'odd-password' }
  const host = makeHost({ users: [user], options: { describe: () => ({ id }) } })
  // Express's own error handler writes to the console otherwise.
  host.app.set('env', 'test')
  return { user, host }
}

describe('a user’s id', () => {
  for (const id of odd) {
    it(`may be ${JSON.stringify(id)}: another id than all the others`, async () => {
      // An id that a store reads as a pattern or a prototype's name is somebody else's record.
      const others = odd.filter((other) => other !== id).map(userOf)
      const host = makeHost({ users: [userOf(id), ...others] })
      const enrolment = await enrol(host, userOf(id))
      // One that looks as if it had a realm is marked as one that has none.
      const ofRecord = id === 'a:b' ? ':a:b' : id
      expect((await host.store.find(ofRecord))?.userId).to.equal(ofRecord)

      await signIn(browserOf(host), userOf(id), enrolment)
      const backup = await giveCode(
        await pendingBrowser(host, userOf(id)),
        enrolment.backupCodes[0],
      )
      expect(backup.body.status).to.equal('signed-in')
      for (const other of others) {
        const browser = browserOf(host)
        await passFirstStep(browser, other).expect(302)
        const { body } = await getJson(browser, '/second-step').expect(200)
        expect(body.enrolled, JSON.stringify(other.id)).to.equal(false)
      }
    })
  }

  it('is the same as a number and as its digits', async () => {
    // A second form of one id would be an account without a second step.
    const store = memoryStore()
    const options = (id: unknown) => ({ store, describe: () => ({ id }) })
    const [asNumber, asText] = [1, '1'].map((id) => makeHost({ options: options(id) }))
    if (asNumber === undefined || asText === undefined) throw new Error('two hosts')
    await enrol(asNumber, ann)
    const login = await passFirstStep(browserOf(asText), ann).expect(200)
    expect(login.body.status).to.equal('code-required')
    expect(await asText.secondStep.status(1)).to.deep.equal(await asText.secondStep.status('1'))
    expect((await asText.secondStep.status(1)).state).to.equal('on')
  })

  it('may be an object that says what it is, as databases’ ids do', async () => {
    const { host, user } = hostOf({ toString: () => '65f0c0ffee' })
    await enrol(host, user)
    expect((await host.secondStep.status('65f0c0ffee')).state).to.equal('on')
  })

  for (const id of [undefined, null, '', {}, []]) {
    it(`is never ${JSON.stringify(id) ?? 'missing'}: refused, not taken for "not enrolled"`, async () => {
      // All users without an id would share one record, and a lost id would open an account.
      const { host, user } = hostOf(id)
      const browser = browserOf(host)
      const login = await passFirstStep(browser, user)
      expect(login.status).to.equal(500)
      expect(login.text).to.include('a user has no id')
      await getJson(browser, '/inside').expect(401, { user: null })
      const challenge = await postJson(browser, '/second-step/challenge', { code: '123456' })
      expect(challenge.body.code).to.equal('not-signed-in')
    })
  }

  it('is refused where the host’s own code asks about nobody', async () => {
    const { secondStep } = makeHost()
    const nobody = undefined as unknown as string
    const { status, endSessions, passwordChanged, emailChanged } = secondStep
    for (const ask of [status, endSessions, passwordChanged, emailChanged]) {
      let refusal: unknown
      try {
        await ask(nobody)
      } catch (error) {
        refusal = error
      }
      expect(String(refusal)).to.include('() needs the id of a user')
    }
  })
})
