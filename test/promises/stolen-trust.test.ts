// Somebody knows the password and has a copy of the cookie that marks the owner's browser as trusted. The copy
// must be no code, must be noticed, and must be dead after everything that an owner or admin does about it.

import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { DAY, MINUTE, SECOND } from '../support/clock.js'
import type { HostUser } from '../support/host.js'
import { sessionsOf } from '../support/sessions.js'
import type { Visitor } from '../support/visitor.js'
import { recordOf, setPolicy } from '../support/visits.js'
import { DOORS } from '../support/ways-in/doors.js'
import {
  appCode,
  done,
  giveCode,
  givePassword,
  inHand,
  type Person,
  personOf,
  setUp,
} from '../support/ways-in/person.js'
import { ADMIN, type Place, startPlace, TRUST_COOKIE } from '../support/ways-in/place.js'
import { STATES } from '../support/ways-in/states.js'

const KEEPER = 'keeper'
let people = 0

function userOf(id: string, role: 'optional' | 'admin, off'): HostUser {
  return { id, name: id, password: `password of ${id}`, email: `${id}@acme.example`, roles: [role] }
}

const NAMES = Array.from({ length: 60 }, (_, index) => `user-${index}`)

const KEY = randomBytes(32).toString('base64')
const OTHER_KEY = randomBytes(32).toString('base64')

describe('A stolen copy of the cookie of a trusted browser', () => {
  const users = [
    ...NAMES.map((id) => userOf(id, 'optional')),
    userOf(KEEPER, 'admin, off'),
    userOf('admin', 'admin, off'),
  ]
  const directory = new Map(users.map((user) => [user.id, user]))
  let place: Place
  let keeper: Person

  before(async () => {
    const findById = async (id: string) => directory.get(id) ?? null
    place = await startPlace(users, { keys: [KEY], users: { findById } })
    keeper = personOf(place, 'admin, off', userOf(KEEPER, 'admin, off'))
    done(await setUp(keeper, await givePassword(keeper)))
    tick()
  })
  after(() => place.stop())

  /** The next code is a new one. */
  const tick = () => place.system.advance(30 * SECOND)

  /** Somebody new with an app, who has not trusted a browser. */
  async function owner(user = userOf(NAMES[people++] ?? '', 'optional')): Promise<Person> {
    const person = personOf(place, 'optional', user)
    done(await setUp(person, await givePassword(person)))
    tick()
    return person
  }

  /** Signs in and ticks the box. */
  async function trust(person: Person, code = appCode(person)): Promise<Visitor> {
    const visitor = await givePassword(person)
    done(await visitor.postJson('/second-step/challenge', { code, trust: '1' }))
    tick()
    return visitor
  }

  /** A browser of the thief's, with the copy. */
  function copyOf(visitor: Visitor, at = place): Visitor {
    return at.browser({}, [[TRUST_COOKIE, inHand(visitor.cookie(TRUST_COOKIE))]])
  }

  async function asAdmin(person: Person, action: string, body: object = {}) {
    const admin = await givePassword(keeper)
    done(await giveCode(admin, appCode(keeper)))
    tick()
    return done(await admin.postJson(`${ADMIN}/users/${person.user.id}/${action}`, body)).body
  }

  const isIn = async (visitor: Visitor, { user }: Person) =>
    (await DOORS.JSON(visitor, user.id)) === 'in'

  async function expectIn(visitor: Visitor, person: Person): Promise<void> {
    await givePassword(person, visitor)
    expect(await isIn(visitor, person)).to.equal(true)
  }

  async function expectAsked(visitor: Visitor, person: Person): Promise<void> {
    const answer = await visitor.postJson('/login', {
      username: person.user.id,
      password: person.user.password,
    })
    expect(answer.body.status).to.be.oneOf(['code-required', 'setup-required'])
    expect(await isIn(visitor, person)).to.equal(false)
  }

  const eventsOf = async (person: Person) => {
    const query = { user: person.user.id, cursor: null, limit: 100 }
    const page = await place.host.store.audit?.list(query)
    return (page?.entries ?? []).map(({ type }) => type)
  }

  it('is worth nothing without the password, and nothing to another user', async () => {
    const [person, other] = [await owner(), await owner()]
    const browser = await trust(person)
    expect(await isIn(copyOf(browser), person)).to.equal(false)
    await expectAsked(copyOf(browser), other)
    await expectIn(copyOf(browser), person)
  })

  const openAt = (door: 'fresh code' | 'admins read' | 'admins change', visitor: Visitor) =>
    DOORS[door](visitor)

  it('is never fresh, and never opens the admin router', async () => {
    const admin = { ...(await owner(userOf('admin', 'admin, off'))), role: 'admin, off' as const }
    const thief = copyOf(await trust(admin))
    await expectIn(thief, admin)
    const { body } = await thief.getJson('/second-step/')
    expect(Reflect.get(body, 'freshUntil')).to.equal(null)
    for (const door of ['fresh code', 'admins read', 'admins change'] as const) {
      expect(await openAt(door, thief), door).to.equal('fresh-code-required')
    }
    // The owner gives a code, and goes on as after any other login.
    done(await thief.postJson('/second-step/fresh', { code: appCode(admin) }))
    tick()
    expect(await openAt('admins read', thief)).to.equal('in')
  })

  it('lets no credential of one request in', async () => {
    const person = await owner()
    const value = inHand((await trust(person)).cookie(TRUST_COOKIE))
    const { user } = person
    const thief = place.browser({ authorization: user.id }, [[TRUST_COOKIE, value]])
    expect(await DOORS.JSON(thief, user.id)).to.equal('code-required')
  })

  describe('is dead, and so is the session that it has opened,', () => {
    type Act = (person: Person, browser: Visitor) => Promise<unknown>
    const fob = STATES.find(({ name }) => name === 'app and fob')?.steps[1]

    const ACTS: Readonly<Record<string, Act>> = {
      'after a password change': ({ user }) => place.host.secondStep.passwordChanged(user.id),
      'after endSessions()': ({ user }) => place.host.secondStep.endSessions(user.id),
      'after a reset by mail': async (person) => {
        const visitor = await givePassword(person)
        const email = inHand(person.user.email)
        done(await visitor.postJson('/second-step/lost', { email }))
        done(await visitor.postJson(inHand(await place.linkFor(email))))
      },
      'after a one-time code was made': (person) => asAdmin(person, 'one-time-code'),
      'after an admin’s reset': (person) => asAdmin(person, 'reset'),
      'after a pause, which was resumed': async (person) => {
        await asAdmin(person, 'pause', { days: 3 })
        await asAdmin(person, 'resume')
      },
      'after a pause, which is over': async (person) => {
        await asAdmin(person, 'pause', { days: 1 })
        place.system.advance(DAY + MINUTE)
      },
      'after an admin has signed the user out': (person) => asAdmin(person, 'end-sessions'),
      'after new backup codes': async (person, browser) =>
        done(await browser.postJson('/second-step/backup-codes', { code: appCode(person) })),
      'after new backup codes by an admin': (person) => asAdmin(person, 'backup-codes'),
      'after a new device': async (person, browser) => {
        done(await browser.postJson('/second-step/change-key', { code: appCode(person) }))
        tick()
        done(await setUp(person, browser))
      },
      'after the removal of a device': async (person) => {
        const [, removed] = (await recordOf(place.host, person.user.id)).authenticators
        await asAdmin(person, `authenticators/${removed?.id}/remove`)
      },
      'after the user’s own reset': async (person, browser) =>
        done(await browser.postJson('/second-step/reset', { code: appCode(person) })),
      'once it was forgotten': async (person, browser) => {
        const [one] = (await recordOf(place.host, person.user.id)).trustedBrowsers
        done(await browser.postJson(`/second-step/trusted-browsers/${one?.id}/forget`))
      },
      'once all were forgotten': async (_person, browser) =>
        done(await browser.postJson('/second-step/trusted-browsers/forget-all')),
      'after fourteen days': async () => place.system.advance(14 * DAY),
      'after a change of the policy': () => setPolicy(place.host, { mode: 'required' }),
    }

    for (const [when, act] of Object.entries(ACTS)) {
      it(when, async () => {
        const person = await owner()
        if (when.includes('removal')) {
          const admin = await givePassword(keeper)
          done(await giveCode(admin, appCode(keeper)))
          tick()
          if (typeof fob !== 'function') throw new Error('the state gives no fob')
          await fob(person, admin)
        }
        const browser = await trust(person)
        const [early, late] = [copyOf(browser), copyOf(browser)]
        await expectIn(early, person)
        tick()
        await act(person, browser)
        tick()
        const newest = copyOf(early)
        expect(await isIn(early, person), 'the session of the copy').to.equal(false)
        await expectAsked(newest, person)
        await expectAsked(late, person)
        // Ended, and not taken for a copy.
        expect(await eventsOf(person)).not.to.include('trusted-browser-reused')
      })
    }

    it('after a one-time code was used', async () => {
      const person = await owner()
      const { code } = await asAdmin(person, 'one-time-code')
      const browser = await trust(person)
      expect((await giveCode(await givePassword(person), String(code))).body.status).to.equal(
        'setup-required',
      )
      await expectAsked(copyOf(browser), person)
    })

    it('while the second step is off, and after it was set up again', async () => {
      await setPolicy(place.host, { mode: 'optional' })
      const person = await owner()
      const browser = await trust(person)
      const copy = copyOf(browser)
      done(await browser.postJson('/second-step/disable', { code: appCode(person) }))
      tick()
      done(await setUp(person, browser))
      tick()
      await expectAsked(copy, person)
    })
  })

  // A directory that forgets a user whom a provider, or a cookie to stay signed in, still signs in.
  it('is worth nothing once its user is gone from the host', async () => {
    const person = await owner()
    const browser = await trust(person)
    directory.delete(person.user.id)
    await expectAsked(copyOf(browser), person)
    users.splice(
      users.findIndex(({ id }) => id === person.user.id),
      1,
    )
    const answer = await copyOf(browser).postJson('/login', {
      ...{ username: person.user.id, password: person.user.password },
    })
    expect(answer.status).to.equal(401)
  })

  for (const by of ['the user', 'an admin'] as const) {
    it(`is dead after the second step was disabled by ${by}, whatever comes later`, async () => {
      await setPolicy(place.host, { mode: 'optional' })
      const person = await owner()
      const browser = await trust(person)
      const [early, late] = [copyOf(browser), copyOf(browser)]
      await expectIn(early, person)
      const { authenticators } = await recordOf(place.host, person.user.id)
      if (by === 'an admin') await asAdmin(person, 'disable')
      else done(await browser.postJson('/second-step/disable', { code: appCode(person) }))
      tick()
      expect(await isIn(early, person), 'the session of the copy').to.equal(false)
      // As if nothing else had ended it since: a new set-up would.
      const record = await recordOf(place.host, person.user.id)
      const { version } = record
      const again = { ...record, authenticators, version: version + 1, writeId: 'again' }
      expect(await place.host.store.write(again, version)).to.equal(true)
      await expectAsked(copyOf(early), person)
      await expectAsked(late, person)
    })
  }

  // An operator takes a key out that may have leaked, and puts it back: from a backup, or because of codes that need it.
  it('is dead once it came while its key was out of the ring, also when the key is back', async () => {
    const person = await owner()
    const browser = await trust(person)
    const [tried, late] = [copyOf(browser), copyOf(browser)]
    const { store, system } = place.host
    const without = await startPlace(users, { store, system, keys: [OTHER_KEY] })
    try {
      await expectAsked(copyOf(tried, without), person)
    } finally {
      await without.stop()
    }
    await expectAsked(late, person)
    await expectAsked(tried, person)
    expect(await eventsOf(person)).not.to.include('trusted-browser-reused')
  })

  it('works while the codes are locked, which is no proof of a theft', async () => {
    const person = await owner()
    const browser = await trust(person)
    const record = await recordOf(place.host, person.user.id)
    const misses = Array.from({ length: 20 }, () => place.system.now())
    const { version } = record
    const locked = { ...record, attempts: { misses, consecutive: 20 } }
    await place.host.store.write({ ...locked, version: version + 1, writeId: 'locked' }, version)
    await expectIn(copyOf(browser), person)
  })

  it('is tolerated where two requests of one browser send it at once, and once only exchanged', async () => {
    const person = await owner()
    const browser = await trust(person)
    const copies = Array.from({ length: 10 }, () => copyOf(browser))
    const before = inHand(browser.cookie(TRUST_COOKIE))
    await Promise.all(copies.map((copy) => givePassword(person, copy)))
    for (const copy of copies) expect(await isIn(copy, person)).to.equal(true)
    const renewed = copies.map((copy) => copy.cookie(TRUST_COOKIE)).filter((one) => one !== before)
    expect(renewed).to.have.length(1)
    expect(await eventsOf(person)).not.to.include('trusted-browser-reused')
    expect((await recordOf(place.host, person.user.id)).trustedBrowsers).to.have.length(1)
  })

  for (const first of ['thief', 'owner'] as const) {
    it(`is noticed where the ${first} comes first: nobody is trusted any more, and the user is told`, async () => {
      const person = await owner()
      const browser = await trust(person)
      const [one, other] = [copyOf(browser), copyOf(browser)]
      await expectIn(one, person)
      const next = copyOf(one)
      place.system.advance(MINUTE + SECOND)
      await expectAsked(other, person)
      expect(other.cookie(TRUST_COOKIE), 'the cookie is taken back').to.equal(undefined)
      expect(await isIn(one, person), 'the session of the one before').to.equal(false)
      await expectAsked(next, person)
      await place.idle()
      const mails = place.mails.filter(({ to }) => to === person.user.email)
      expect(mails.map(({ subject }) => subject)).to.include.members([
        'Acme: A browser is now trusted',
        'Acme: A trusted browser may have been copied',
      ])
      expect(await eventsOf(person)).to.include('trusted-browser-reused')
    })
  }

  it('is noticed, however old it is', async () => {
    const person = await owner()
    let browser = copyOf(await trust(person))
    const stolen = copyOf(browser)
    for (let login = 0; login < 3; login += 1) {
      browser = copyOf(browser)
      await expectIn(browser, person)
      place.system.advance(MINUTE + SECOND)
    }
    await expectAsked(stolen, person)
    await expectAsked(copyOf(browser), person)
  })

  it('cannot be had for a backup code or a one-time code', async () => {
    const person = await owner()
    const byBackupCode = await trust(person, inHand(person.backupCodes[0]))
    expect(byBackupCode.cookie(TRUST_COOKIE)).to.equal(undefined)
    const { code } = await asAdmin(person, 'one-time-code')
    const byOneTimeCode = await givePassword(person)
    await byOneTimeCode.postJson('/second-step/challenge', { code, trust: '1' })
    expect(byOneTimeCode.cookie(TRUST_COOKIE)).to.equal(undefined)
    expect((await recordOf(place.host, person.user.id)).trustedBrowsers).to.deep.equal([])
  })

  it('cannot be had for a wrong code, or without the box', async () => {
    const person = await owner()
    const visitor = await givePassword(person)
    await visitor.postJson('/second-step/challenge', { code: '000000', trust: '1' })
    for (const trust of ['', '0', 'true', true, 1, ['1']]) {
      const unticked = await givePassword(person)
      await unticked.postJson('/second-step/challenge', { code: appCode(person), trust })
      tick()
      expect(unticked.cookie(TRUST_COOKIE)).to.equal(undefined)
    }
    expect(visitor.cookie(TRUST_COOKIE)).to.equal(undefined)
  })

  it('is not in a copy of the database', async () => {
    const person = await owner()
    const value = inHand((await trust(person)).cookie(TRUST_COOKIE))
    const [, secret = ''] = value.split('.')
    expect(secret).to.have.length(43)
    const kept = JSON.stringify([
      await recordOf(place.host, person.user.id),
      sessionsOf(place.host),
      await place.host.store.audit?.list({ user: null, cursor: null, limit: 1000 }),
    ])
    expect(kept).not.to.contain(secret)
    expect(kept).not.to.contain(Buffer.from(secret, 'base64url').toString('hex'))
  })
})
