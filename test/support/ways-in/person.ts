import type { PublicKeyCredentialCreationOptionsJSON } from '@simplewebauthn/server'
import { type VirtualAuthenticator, virtualAuthenticator } from '../../../lib/testing/index.js'
import type { HostUser } from '../host.js'
import { ORIGIN } from '../keys.js'
import { type SoftwareKey, softwareKey } from '../software-key.js'
import type { Answer, Visitor } from '../visitor.js'
import type { Place, Role } from './place.js'

/** A user, and what they have in hand. A state gives it to them; a way in uses it. */
export interface Person {
  readonly place: Place
  readonly role: Role
  readonly user: HostUser
  /** Whether a way in needs one of their earlier sessions. */
  readonly wantsSession: boolean
  app: VirtualAuthenticator | null
  fob: VirtualAuthenticator | null
  key: SoftwareKey | null
  /** What the key has last answered. */
  signature: object | null
  backupCodes: readonly string[]
  oneTimeCode: string | null
  /** The path of the link of a reset by mail. */
  link: string | null
  /** A session that is older than the package. */
  unseen: Visitor | null
  /** A session that began before the user had anything. */
  bySight: Visitor | null
  /** A session that began with both steps, before the user came into their state. */
  byCode: Visitor | null
}

export function personOf(
  place: Place,
  role: Role,
  user: HostUser,
  { wantsSession } = { wantsSession: false },
): Person {
  const nothing = {
    ...{ key: null, signature: null },
    app: null,
    fob: null,
    backupCodes: [],
    oneTimeCode: null,
    link: null,
  }
  return { place, role, user, wantsSession, ...nothing, unseen: null, bySight: null, byCode: null }
}

/** Passes the first step, in a browser of its own or in that one. */
export async function givePassword(
  { place, user }: Pick<Person, 'place' | 'user'>,
  visitor: Visitor = place.browser(),
  path = '/login',
): Promise<Visitor> {
  await visitor.postJson(path, { username: user.id, password: user.password })
  return visitor
}

export function giveCode(visitor: Visitor, code: string | undefined): Promise<Answer> {
  return visitor.postJson('/second-step/challenge', { code })
}

/** The code that the app shows. */
export function appCode({ place, app }: Person): string {
  return inHand(app).code(place.system.now())
}

/** Sets up an app, or what the user's rule accepts, or tries to: the set-up may be closed to the visitor. */
export async function setUp(person: Person, visitor: Visitor): Promise<Answer> {
  const shown = await visitor.getJson('/second-step/setup')
  if (shown.body.type === 'webauthn') return confirmKey(person, visitor, shown.body.options)
  if (shown.body.secret === undefined) return shown
  const isFob = shown.body.type === 'hotp'
  const device = virtualAuthenticator(isFob ? inHand(shown.body.uri) : shown.body.secret)
  const code = isFob ? device.next() : device.code(person.place.system.now())
  const confirmed = await visitor.postJson('/second-step/setup', { code })
  if (confirmed.status === 200) {
    if (isFob) person.fob = device
    else person.app = device
    person.backupCodes = confirmed.body.backupCodes ?? []
  }
  return confirmed
}

/** Sets a security key up. */
export async function setUpKey(person: Person, visitor: Visitor): Promise<Answer> {
  const { body } = await visitor.getJson('/second-step/setup?type=webauthn')
  return confirmKey(person, visitor, body.options)
}

/** Answers the challenge of a set-up with a new key. */
export async function confirmKey(
  person: Person,
  visitor: Visitor,
  options: PublicKeyCredentialCreationOptionsJSON | undefined,
): Promise<Answer> {
  person.key = softwareKey({ origin: ORIGIN })
  const credential = person.key.register(inHand(options))
  const confirmed = await visitor.postJson('/second-step/setup', { credential })
  person.backupCodes = confirmed.body.backupCodes ?? []
  return confirmed
}

/** Answers the challenge of a pending login with the key. */
export async function giveSignature(person: Person, visitor: Visitor): Promise<Answer> {
  const asked = await visitor.getJson('/second-step/challenge')
  const { webauthn = null } = asked.body
  // Nobody is asked for a second step here.
  if (webauthn === null) return asked
  person.signature = inHand(person.key).sign(webauthn)
  return visitor.postJson('/second-step/challenge', { credential: person.signature })
}

/** What a state must have given. */
export function inHand<Thing>(thing: Thing | null | undefined): Thing {
  if (thing === null || thing === undefined) throw new Error('the state gives no such thing')
  return thing
}

/** @throws Error where it was refused: a state must come about as it says */
export function done(answer: Answer): Answer {
  if (answer.status >= 200 && answer.status < 300) return answer
  throw new Error(`refused with ${answer.status}: ${answer.text}`)
}
