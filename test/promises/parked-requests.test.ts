// The attack: somebody sends the header of a request while a login is still valid, and holds the body
// back until that login has ended: by the owner, by a log-out, by its age, or by a changed password.
// The guard has let the request in. When the body arrives with the code, it must be refused.

import { expect } from 'chai'
import type { FactorMethod } from '../../lib/index.js'
import { virtualAuthenticator } from '../../lib/testing/index.js'
import { usersOf } from '../support/admin.js'
import { getJson, postJson } from '../support/answers.js'
import { browserOf, type Enrolment, enrol, giveCode, passFirstStep } from '../support/browser.js'
import { MINUTE, SECOND } from '../support/clock.js'
import { EARLY_ENDS, LAST_BYTE } from '../support/early-end.js'
import { ann, type Host, type HostOptions, type HostUser, makeHost } from '../support/host.js'
import { type ParkedAnswer, park } from '../support/parked.js'
import { authenticatorOf } from '../support/records.js'
import { cookieOf, useCookie } from '../support/sessions.js'
import { recordOf, setPolicy } from '../support/visits.js'

/** A login whose request is going to wait, and the code that it waits with. */
interface Thief {
  readonly host: Host
  readonly cookie: string
  /** The code of the moment in which it is sent. */
  readonly code: () => string
  /** The one after it, where two are asked for. */
  readonly nextCode?: () => string
}

function bodyOf({ code, nextCode }: Pick<Thief, 'code' | 'nextCode'>) {
  return nextCode === undefined ? { code: code() } : { code: code(), nextCode: nextCode() }
}

interface Door {
  readonly path: string
  readonly come: () => Promise<Thief>
}

/** So that a rule for a role may bind Ann. */
const users = [{ ...ann, roles: ['user'] }]
const withRoles: HostOptions = {
  users,
  options: { roles: ['user', 'admin'], users: usersOf(users) },
}

const withStrategy: HostOptions = {
  ...withRoles,
  routes: ({ app, passport, secondStep }) => {
    passport.use(secondStep.strategy())
    app.post('/code', (req, res, next) => {
      const answered = (error: unknown, user: HostUser | false, info: unknown, status: unknown) => {
        if (error) next(error)
        else if (user === false) res.status(Number(status)).json(info)
        else req.logIn(user, (failure) => (failure ? next(failure) : res.json({ user: user.id })))
      }
      passport.authenticate('second-step', answered)(req, res, next)
    })
  },
}

async function pending(by: 'totp' | 'backup-code' = 'totp'): Promise<Thief> {
  const host = makeHost(withStrategy)
  const enrolment = await enrol(host, ann)
  const cookie = cookieOf(await passFirstStep(browserOf(host), ann).expect(200))
  host.system.advance(MINUTE)
  const [backupCode = ''] = enrolment.backupCodes
  return { host, cookie, code: by === 'totp' ? enrolment.code : () => backupCode }
}

async function signedIn(): Promise<Thief & { enrolment: Enrolment }> {
  const host = makeHost(withRoles)
  const enrolment = await enrol(host, ann)
  const browser = browserOf(host)
  await passFirstStep(browser, ann).expect(200)
  const cookie = cookieOf(await giveCode(browser, enrolment.code()).expect(200))
  host.system.advance(30 * SECOND)
  return { host, cookie, code: enrolment.code, enrolment }
}

/** Has a set-up in progress: pending where the policy requires one, else signed in. */
async function settingUp(mode: 'optional' | 'required'): Promise<Thief> {
  const host = makeHost(withRoles)
  await setPolicy(host, { mode })
  const browser = browserOf(host)
  const cookie = cookieOf(await passFirstStep(browser, ann))
  // So that the pending login is over before the set-up in progress is.
  host.system.advance(MINUTE)
  const { body } = await getJson(browser, '/second-step/setup').expect(200)
  const authenticator = virtualAuthenticator(body.secret)
  return { host, cookie, code: () => authenticator.code(host.system.now()) }
}

async function changingKey(): Promise<Thief> {
  const { host, cookie, code: present } = await signedIn()
  const browser = useCookie(browserOf(host), cookie)
  const { body } = await browser
    .post('/second-step/change-key')
    .set('Accept', 'application/json')
    .send({ code: present() })
    .expect(200)
  const authenticator = virtualAuthenticator(body.secret)
  return { host, cookie, code: () => authenticator.code(host.system.now()) }
}

/** Has a device with a button, which is out of step. */
async function outOfStep(isSignedIn: boolean): Promise<Thief> {
  const host = makeHost({
    ...withRoles,
    options: { ...withRoles.options, authenticators: ['hotp'] },
  })
  const owner = browserOf(host)
  await passFirstStep(owner, ann)
  const { body } = await getJson(owner, '/second-step/setup').expect(200)
  const fob = virtualAuthenticator(body.uri)
  await postJson(owner, '/second-step/setup', { code: fob.next() }).expect(200)
  const browser = browserOf(host)
  const begun = await passFirstStep(browser, ann).expect(200)
  const cookie = cookieOf(isSignedIn ? await giveCode(browser, fob.next()).expect(200) : begun)
  host.system.advance(MINUTE)
  for (let press = 0; press < 300; press += 1) fob.next()
  const [code, nextCode] = [fob.next(), fob.next()]
  return { host, cookie, code: () => code, nextCode: () => nextCode }
}

const doorsOfPending: Record<string, Door> = {
  'a code at /challenge': { path: '/second-step/challenge', come: () => pending() },
  'a backup code at /challenge': {
    path: '/second-step/challenge',
    come: () => pending('backup-code'),
  },
  'a pair at /resync': { path: '/second-step/resync', come: () => outOfStep(false) },
  'a code at the strategy': { path: '/code', come: () => pending() },
  'the first set-up, where one is required': {
    path: '/second-step/setup',
    come: () => settingUp('required'),
  },
}

const actions = ['fresh', 'change-key', 'show-key', 'backup-codes', 'disable', 'reset']
const doorsOfSessions: Record<string, Door> = {
  ...Object.fromEntries(
    actions.map((action) => [
      `a code at /${action}`,
      { path: `/second-step/${action}`, come: signedIn },
    ]),
  ),
  'a pair at /resync, in a session': {
    path: '/second-step/resync',
    come: () => outOfStep(true),
  },
  'a change of key': { path: '/second-step/setup', come: changingKey },
  'a set-up of somebody without a second step': {
    path: '/second-step/setup',
    come: () => settingUp('optional'),
  },
}

const endings: Record<string, (thief: Thief) => Promise<unknown>> = {
  'endSessions()': ({ host }) => host.secondStep.endSessions('ann'),
  'its ten minutes': async ({ host }) => host.system.advance(9 * MINUTE),
  'passwordChanged()': ({ host }) => {
    host.system.advance(SECOND)
    return host.secondStep.passwordChanged('ann')
  },
  'its log-out': ({ host, cookie }) =>
    useCookie(browserOf(host), cookie).post('/logout').expect(200),
}

function expectNobodyIn(host: Host, cookies: readonly (string | null)[]): Promise<unknown> {
  return Promise.all(
    cookies.map(async (cookie) => {
      const browser = browserOf(host)
      if (cookie !== null) useCookie(browser, cookie)
      await getJson(browser, '/inside').expect(401, { user: null })
    }),
  )
}

/** Parks the request, ends the login, and lets the body follow. */
async function goOnAfter(
  ending: (thief: Thief) => Promise<unknown>,
  thief: Thief,
  path: string,
): Promise<ParkedAnswer> {
  const parked = await park(thief.host, path, {
    cookie: thief.cookie,
    like: bodyOf(thief),
  })
  await ending(thief)
  const before = await thief.host.store.find('ann')
  const answer = await parked.finish(bodyOf(thief))
  expect(await thief.host.store.find('ann'), 'burned, bound, counted').to.deep.equal(before)
  return answer
}

describe('a request whose body waits', () => {
  it('is answered as any other where nothing happens meanwhile', async () => {
    for (const [name, { path, come }] of Object.entries({
      ...doorsOfPending,
      ...doorsOfSessions,
    })) {
      const thief = await come()
      const { host, cookie } = thief
      const parked = await park(host, path, { cookie, like: bodyOf(thief) })
      expect((await parked.finish(bodyOf(thief))).status, name).to.equal(200)
    }
  })

  const rows = [
    [doorsOfPending, ['endSessions()', 'its ten minutes', 'passwordChanged()']],
    [doorsOfSessions, ['endSessions()', 'its log-out']],
  ] as const
  for (const [doors, names] of rows) {
    for (const [door, { path, come }] of Object.entries(doors)) {
      for (const name of names) {
        it(`is refused after ${name}: ${door}`, async () => {
          const thief = await come()
          const ending = endings[name]
          if (ending === undefined) throw new Error(name)
          const { status, body, cookie } = await goOnAfter(ending, thief, path)
          expect([status, body.code]).to.deep.equal([401, 'sign-in-again'])
          await expectNobodyIn(thief.host, [cookie, thief.cookie])
        })
      }
    }
  }

  const packed = EARLY_ENDS.gzip
  for (const [door, { path, come }] of Object.entries({ ...doorsOfPending, ...doorsOfSessions })) {
    it(`is refused although its parser ends before the last byte: ${door}`, async () => {
      if (packed === undefined) throw new Error('gzip')
      const thief = await come()
      const { host, cookie } = thief
      const enough = packed.enough(bodyOf(thief))
      const like = Buffer.concat([enough, LAST_BYTE])
      const parked = await park(host, path, { cookie, like, headers: packed.headers })
      await host.secondStep.endSessions('ann')
      const before = await host.store.find('ann')
      parked.write(enough)
      const answer = await parked.answer
      expect([answer.status, answer.body.code]).to.deep.equal([401, 'sign-in-again'])
      expect(await host.store.find('ann'), 'burned, bound, counted').to.deep.equal(before)
      await expectNobodyIn(host, [answer.cookie, cookie])
    })
  }

  for (const mode of ['optional', 'required'] as const) {
    it(`binds no second authenticator after a set-up elsewhere, where one is ${mode}`, async () => {
      const thief = await settingUp(mode)
      const ending = () => enrol(thief.host, ann)
      const { status, body, cookie } = await goOnAfter(ending, thief, '/second-step/setup')
      expect([status, body.code]).to.deep.equal([401, 'sign-in-again'])
      await expectNobodyIn(thief.host, [cookie, thief.cookie])
    })
  }

  it('does not bind an authenticator in a session without a second step that was logged out', async () => {
    // Nothing of it is in the record but the set-up: the log-out must end that.
    const thief = await settingUp('optional')
    const log = endings['its log-out']
    if (log === undefined) throw new Error('log-out')
    await goOnAfter(log, thief, '/second-step/setup')
    expect(await recordOf(thief.host)).to.deep.include({ authenticators: [], setup: null })
    expect((await passFirstStep(browserOf(thief.host), ann)).status, 'owner').to.equal(302)
  })

  it('waits for no body of a GET, so that nothing is set up after the login was ended', async () => {
    // A GET may have a body too. The thief's set-up would take the place of the owner's.
    const host = makeHost()
    const cookie = cookieOf(await passFirstStep(browserOf(host), ann))
    const parked = await park(host, '/second-step/setup', { cookie, like: {}, method: 'GET' })
    expect((await parked.answer).status, 'while the login is good').to.equal(200)
    await host.secondStep.endSessions('ann')
    const owner = browserOf(host)
    await passFirstStep(owner, ann)
    const { body } = await getJson(owner, '/second-step/setup').expect(200)
    const code = virtualAuthenticator(body.secret).code(host.system.now())
    await postJson(owner, '/second-step/setup', { code }).expect(200)
  })
})

// Else: a rule that refuses codes does not stop what a phisher's request with a code has begun.
describe('a request whose body waits for a new rule', () => {
  const byBackupCode = () => pending('backup-code')
  const doors: Record<string, Door & { readonly accepts: FactorMethod }> = {
    'a backup code at /challenge': {
      path: '/second-step/challenge',
      come: byBackupCode,
      accepts: 'totp',
    },
    'a backup code at the strategy': { path: '/code', come: byBackupCode, accepts: 'totp' },
    'the first set-up': {
      path: '/second-step/setup',
      come: () => settingUp('required'),
      accepts: 'hotp',
    },
    ...Object.fromEntries(
      Object.entries(doorsOfSessions).map(([door, { path, come }]) => [
        door,
        { path, come, accepts: 'webauthn' as const },
      ]),
    ),
  }
  for (const [door, { path, come, accepts }] of Object.entries(doors)) {
    it(`is judged by the rule of the moment in which it comes: ${door}`, async () => {
      const thief = await come()
      const rule = () => setPolicy(thief.host, { accepts: { user: [accepts] } })
      const { status, body, cookie } = await goOnAfter(rule, thief, path)
      expect(`${status} ${body.code}`).to.match(/^(403 stronger-factor-|401 code-)required$/)
      await expectNobodyIn(thief.host, [cookie])
    })
  }
})

describe('a parked request to turn the second step off', () => {
  it('is judged by the rule of the moment in which it comes', async () => {
    // Else: no second step, and a week of grace by password alone.
    const { host, cookie, code } = await signedIn()
    const body = { code: code() }
    const parked = await park(host, '/second-step/disable', { cookie, like: body })
    await setPolicy(host, { mode: 'required' })
    const answer = await parked.finish(body)
    expect([answer.status, answer.body.code]).to.deep.equal([409, 'required-by-policy'])
    expect(authenticatorOf(await recordOf(host))).not.to.equal(null)
  })
})
