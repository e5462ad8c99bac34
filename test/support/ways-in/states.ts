import { randomBytes } from 'node:crypto'
import { addMiss, attemptCaps } from '../../../lib/domain/attempts.js'
import type { SecondStepRecord } from '../../../lib/domain/record.js'
import { virtualAuthenticator } from '../../../lib/testing/index.js'
import { DAY } from '../clock.js'
import { secretOf } from '../records.js'
import type { Answer, Visitor } from '../visitor.js'
import { recordOf } from '../visits.js'
import {
  appCode,
  confirmKey,
  done,
  giveCode,
  givePassword,
  giveSignature,
  inHand,
  type Person,
  setUp,
  setUpKey,
} from './person.js'
import { ADMIN } from './place.js'

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The admin who does to users what an admin does. */
export const KEEPER = 'keeper'

/** Brings a user one step further. Some minutes pass before the next one. */
export type Step = (person: Person, admin: Visitor) => Promise<void>

export type Thing = 'app' | 'fob' | 'key' | 'backup code' | 'one-time code' | 'link' | 'session'

const WITH_APP = ['app', 'backup code', 'session'] as const

/** A state of the second step, and how a user comes into it. */
export interface State {
  readonly name: string
  /** Has an authenticator: the password alone must not let in. */
  readonly enrolled: boolean
  readonly paused?: 'until' | 'forever'
  readonly locked?: true
  /** Had one, and must set up another: the password leads to the set-up at most. */
  readonly mustSetUp?: boolean
  /** New to the host: within the days of grace. */
  readonly isNew?: boolean
  /** What its users have in hand. */
  readonly has: readonly Thing[]
  /** A number: milliseconds that pass. */
  readonly steps: readonly (Step | number)[]
}

const app: Step = async (person) => {
  done(await setUp(person, await givePassword(person)))
}
const signedIn: Step = async (person) => {
  if (!person.wantsSession) return
  person.byCode = await givePassword(person)
  if (person.key !== null) {
    done(await giveSignature(person, person.byCode))
    return
  }
  const code = person.app === null ? inHand(person.fob).next() : appCode(person)
  done(await giveCode(person.byCode, code))
}
const key: Step = async (person) => {
  done(await setUpKey(person, await givePassword(person)))
}
/** In the settings, beside what the user has. */
const addedKey: Step = async (person) => {
  const visitor = await givePassword(person)
  done(await giveCode(visitor, appCode(person)))
  const proof = { code: person.backupCodes[9], type: 'webauthn' }
  const { body } = done(await visitor.postJson('/second-step/authenticators', proof))
  done(await confirmKey(person, visitor, body.options))
}
const fob: Step = async (person, admin) => {
  const base32 = Array.from(randomBytes(32), (byte) => BASE32[byte % 32]).join('')
  done(
    await act(person, admin, 'token', {
      type: 'hotp',
      serial: base32.slice(0, 12),
      secret: base32,
      counter: 0,
    }),
  )
  person.fob = virtualAuthenticator(`otpauth://hotp/Acme:fob?secret=${base32}&counter=0`)
}
const pause =
  (days: number | 'forever'): Step =>
  async (person, admin) =>
    void done(await act(person, admin, 'pause', { days }))
const reset: Step = async (person, admin) => void done(await act(person, admin, 'reset'))
const oneTimeCode: Step = async (person, admin) => {
  const { body } = done(await act(person, admin, 'one-time-code'))
  person.oneTimeCode = String(body.code)
}
const askForMail: Step = async (person) => {
  const email = inHand(person.user.email)
  done(await (await givePassword(person)).postJson('/second-step/lost', { email }))
  person.link = await person.place.linkFor(email)
}
const disable: Step = async (person) => {
  const visitor = await givePassword(person)
  await giveCode(visitor, person.backupCodes[9])
  done(await visitor.postJson('/second-step/disable', { code: person.backupCodes[8] }))
}
const misses: Step = (person) =>
  edit(person, (record) => {
    let { attempts } = record
    const now = person.place.system.now()
    for (let miss = 0; miss < 20; miss += 1) attempts = addMiss(attempts, attemptCaps(3), now)
    return { ...record, attempts }
  })
/** Its key is sealed for somebody else, so that it can't be opened. */
const brokenKey: Step = async (person) => {
  const secret = secretOf((await recordOf(person.place.host, KEEPER)).authenticators[0])
  await edit(person, (record) => ({
    ...record,
    authenticators: record.authenticators.map((one) => ({ ...one, secret })),
  }))
}

export const STATES: readonly State[] = [
  { name: 'never set up', enrolled: false, has: [], steps: [] },
  { name: 'never set up, in the days of grace', enrolled: false, isNew: true, has: [], steps: [] },
  { name: 'app', enrolled: true, has: WITH_APP, steps: [app, signedIn] },
  { name: 'app and fob', enrolled: true, has: [...WITH_APP, 'fob'], steps: [app, fob, signedIn] },
  { name: 'fob', enrolled: true, has: ['fob', 'session'], steps: [fob, signedIn] },
  {
    name: 'security key',
    enrolled: true,
    has: ['key', 'backup code', 'session'],
    steps: [key, signedIn],
  },
  {
    name: 'app and security key',
    enrolled: true,
    has: ['app', 'key', 'backup code', 'session'],
    steps: [app, addedKey, signedIn],
  },
  {
    name: 'app that the key ring cannot open',
    enrolled: true,
    has: WITH_APP,
    steps: [app, signedIn, brokenKey],
  },
  {
    name: 'app, locked',
    enrolled: true,
    locked: true,
    has: WITH_APP,
    steps: [app, signedIn, misses],
  },
  {
    name: 'app, paused',
    enrolled: true,
    paused: 'until',
    has: WITH_APP,
    steps: [app, signedIn, pause(30)],
  },
  {
    name: 'app, paused forever',
    enrolled: true,
    paused: 'forever',
    has: WITH_APP,
    steps: [app, signedIn, pause('forever')],
  },
  { name: 'app, pause over', enrolled: true, has: WITH_APP, steps: [app, signedIn, pause(1), DAY] },
  {
    name: 'app, reset by mail asked for',
    enrolled: true,
    has: [...WITH_APP, 'link'],
    steps: [app, signedIn, askForMail],
  },
  {
    name: 'app, one-time code',
    enrolled: true,
    has: [...WITH_APP, 'one-time code'],
    steps: [app, signedIn, oneTimeCode],
  },
  { name: 'app, disabled', enrolled: false, has: WITH_APP, steps: [app, signedIn, disable] },
  {
    name: 'reset by an admin',
    enrolled: false,
    mustSetUp: true,
    has: WITH_APP,
    steps: [app, signedIn, reset],
  },
  {
    name: 'reset by an admin, time over',
    enrolled: false,
    mustSetUp: true,
    has: WITH_APP,
    steps: [app, signedIn, reset, 8 * DAY],
  },
  {
    name: 'reset by an admin, time over, one-time code',
    enrolled: false,
    mustSetUp: true,
    has: [...WITH_APP, 'one-time code'],
    steps: [app, signedIn, reset, 8 * DAY, oneTimeCode],
  },
]

function act(person: Person, admin: Visitor, action: string, body: object = {}): Promise<Answer> {
  return admin.postJson(`${ADMIN}/users/${person.user.id}/${action}`, body)
}

async function edit(
  { place, user }: Person,
  change: (record: SecondStepRecord) => SecondStepRecord,
): Promise<void> {
  const record = await recordOf(place.host, user.id)
  const { version } = record
  const next = { ...change(record), version: version + 1, writeId: `edit-${version}` }
  if (!(await place.host.store.write(next, version))) throw new Error('the record has changed')
}
