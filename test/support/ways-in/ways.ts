import type { UpstreamClaims } from '../../../lib/index.js'
import { PROVIDER } from '../provider.js'
import type { Visitor } from '../visitor.js'
import {
  appCode,
  giveCode,
  givePassword,
  giveSignature,
  inHand,
  type Person,
  setUp,
} from './person.js'
import { ROLE_NAMES, type Role, TRUST_COOKIE } from './place.js'
import type { Thing } from './states.js'

/** Who else is at the app: somebody without a second step, and somebody with an app. */
export interface Others {
  readonly guest: Person
  readonly neighbour: Person
}

/**
 * - `nothing`: no second factor, or none that is good
 * - `over`: not even the password, or a sign-in that has been ended since
 * - `factor`: a second factor
 * - `set-up`: a code of what was set up on the way
 * - `reset`: what leads to the set-up in place of a factor
 * - `reset, set-up`: the same, and a code of what was set up then
 * - `upstream`: a second step at a provider that the host believes
 * - `trust`: a browser that is trusted in place of a second factor
 * - `token`: a credential that was issued after both steps, as the host says
 */
export type Given =
  | 'nothing'
  | 'over'
  | 'factor'
  | 'set-up'
  | 'reset'
  | 'reset, set-up'
  | 'upstream'
  | 'trust'
  | 'token'

/** A way in: what somebody does to get in as a user, and with what. */
export interface Way {
  readonly name: string
  /** What is given beside the password. Only a right one of the user's own counts. */
  readonly gives: Given
  /** What the user must have in hand. Default: nothing. */
  readonly needs?: Thing
  /**
   * The roles in which it is tried, where what it depends on is no mode of a role: `one` that is an admin's, one that
   * is not, and those that accept some methods only; or `user` alone. Default: every one.
   */
  readonly roles?: Tried
  /** Uses a session that began before the user came into their state. */
  readonly comesBack?: true
  /** By a credential in each request, without a session. */
  readonly byToken?: true
  /** Minutes pass before it, so that no earlier code counts as fresh. */
  readonly isLater?: true
  /**
   * @param first the browser of the first way of the chain
   * @returns the browser that is used from then on; null: there is no such way for this user
   */
  readonly go: (person: Person, others: Others, first: Visitor | null) => Promise<Visitor | null>
}

/** Ways that one user goes one after the other: each leaves the user in their state, or the next one means it. */
type Chain = readonly Way[]

type Tried = 'every' | 'one' | 'user'

const withoutFactor: Chain = [
  { name: 'nothing', gives: 'over', roles: 'user', go: async ({ place }) => place.browser() },
  { name: 'password', gives: 'nothing', go: (person) => givePassword(person) },
  {
    name: 'password, a wrong code',
    gives: 'nothing',
    roles: 'user',
    go: (person) => withCode(person, '000 000'),
  },
  {
    name: "password, another user's app code",
    gives: 'nothing',
    roles: 'user',
    go: (person, { neighbour }) => withCode(person, appCode(neighbour)),
  },
  {
    name: 'password, log-out',
    gives: 'over',
    roles: 'user',
    go: async (person) => loggedOut(await givePassword(person)),
  },
  {
    name: "password with `keepSessionInfo`, in another user's session",
    gives: 'nothing',
    roles: 'user',
    go: async (person, { guest }) => givePassword(person, await givePassword(guest), '/login/keep'),
  },
  {
    name: '"remember me" in front of the guard',
    gives: 'nothing',
    go: async ({ place, user }) => place.browser({ 'x-remembered': user.id }),
  },
  {
    name: 'provider, password alone',
    gives: 'nothing',
    roles: 'user',
    go: (person) => comeFrom(person, { ...believed(person), amr: ['pwd'] }),
  },
  {
    name: 'provider, second step an hour ago',
    gives: 'nothing',
    roles: 'user',
    go: (person) => comeFrom(person, { ...believed(person), authTime: secondsAt(person) - 3600 }),
  },
  {
    name: 'provider that is not believed, second step',
    gives: 'nothing',
    roles: 'user',
    go: (person) =>
      comeFrom(person, { ...believed(person), issuer: 'https://idp.attacker.example' }),
  },
  {
    name: 'provider, second step',
    gives: 'upstream',
    go: (person) => comeFrom(person, believed(person)),
  },
  {
    name: 'token, `{ session: false }`',
    gives: 'nothing',
    byToken: true,
    go: async ({ place, user }) => place.browser({ authorization: user.id }),
  },
  {
    name: 'token, `{ session: false, secondStep: false }`',
    roles: 'one',
    gives: 'token',
    byToken: true,
    go: async ({ place, user }) =>
      place.browser({ authorization: user.id, 'x-issued': 'after both steps' }),
  },
  {
    name: "the mail's link",
    gives: 'over',
    needs: 'link',
    roles: 'user',
    go: (person) => pressLink(person, person.place.browser()),
  },
  {
    name: "the mail's link, another user's password",
    gives: 'nothing',
    needs: 'link',
    roles: 'user',
    go: async (person, { neighbour }) => pressLink(person, await givePassword(neighbour)),
  },
  {
    name: 'session of the password, from before the package',
    comesBack: true,
    gives: 'nothing',
    roles: 'user',
    go: async (person) => inHand(person.unseen),
  },
  {
    name: 'session of the password, from before any set-up',
    comesBack: true,
    gives: 'nothing',
    roles: 'user',
    go: async (person) => inHand(person.bySight),
  },
  {
    name: 'session of both steps',
    comesBack: true,
    gives: 'factor',
    needs: 'session',
    go: async (person) => inHand(person.byCode),
  },
  {
    name: 'session of both steps, ended elsewhere',
    comesBack: true,
    gives: 'over',
    needs: 'session',
    roles: 'user',
    async go(person) {
      await person.place.host.secondStep.endSessions(person.user.id)
      return inHand(person.byCode)
    },
  },
  {
    name: 'provider, second step, ended elsewhere',
    gives: 'over',
    roles: 'user',
    async go(person) {
      const visitor = await comeFrom(person, believed(person))
      await person.place.host.secondStep.endSessions(person.user.id)
      return visitor
    },
  },
  {
    name: 'password, set-up',
    gives: 'set-up',
    go: async (person) => withSetUp(person, await givePassword(person)),
  },
]

const withApp: Chain = [
  {
    name: 'password, app code',
    gives: 'factor',
    needs: 'app',
    go: (person) => withCode(person, appCode(person)),
  },
  {
    name: 'password, used app code',
    gives: 'nothing',
    needs: 'app',
    roles: 'user',
    go: (person) => withCode(person, appCode(person)),
  },
  {
    name: 'password, app code 6 minutes ago',
    gives: 'factor',
    needs: 'app',
    roles: 'user',
    isLater: true,
    go: async (_person, _others, first) => first,
  },
  {
    name: 'password, app code, password changed',
    gives: 'over',
    needs: 'app',
    roles: 'user',
    isLater: true,
    async go({ place, user }, _others, first) {
      await place.host.secondStep.passwordChanged(user.id)
      return first
    },
  },
]

const withTrust: Chain = [
  {
    name: 'password, app code, browser trusted',
    gives: 'factor',
    needs: 'app',
    go: async (person) => {
      const visitor = await givePassword(person)
      await visitor.postJson('/second-step/challenge', { code: appCode(person), trust: '1' })
      return visitor
    },
  },
  {
    name: 'password, in the trusted browser',
    gives: 'trust',
    needs: 'app',
    go: (person, _others, first) => givePassword(person, withTrustAlone(person, inHand(first))),
  },
  {
    name: "password, copy of that browser's old cookie",
    gives: 'nothing',
    needs: 'app',
    roles: 'user',
    isLater: true,
    // The way before it has exchanged the cookie.
    go: (person, _others, first) => givePassword(person, withTrustAlone(person, inHand(first))),
  },
]

const onHostsPage: Chain = [
  {
    name: "password, app code on the host's own page",
    gives: 'factor',
    needs: 'app',
    roles: 'user',
    async go(person) {
      const visitor = await givePassword(person)
      await visitor.postJson('/login/code', { code: appCode(person) })
      return visitor
    },
  },
]

const withFob: Chain = [
  {
    name: 'password, fob code',
    gives: 'factor',
    needs: 'fob',
    go: (person) => withCode(person, inHand(person.fob).next()),
  },
  {
    name: 'password, used fob code',
    gives: 'nothing',
    needs: 'fob',
    roles: 'user',
    go: (person) => withCode(person, inHand(person.fob).code()),
  },
  {
    name: 'password, two codes of a fob that is far ahead',
    roles: 'user',
    gives: 'factor',
    needs: 'fob',
    async go(person) {
      const fob = inHand(person.fob)
      for (let press = 0; press < 50; press += 1) fob.next()
      const visitor = await givePassword(person)
      await visitor.postJson('/second-step/resync', { code: fob.next(), nextCode: fob.next() })
      return visitor
    },
  },
]

const withKey: Chain = [
  {
    name: 'password, signature of a security key',
    gives: 'factor',
    needs: 'key',
    async go(person) {
      const visitor = await givePassword(person)
      await giveSignature(person, visitor)
      return visitor
    },
  },
  {
    name: 'password, used signature of a security key',
    gives: 'nothing',
    needs: 'key',
    roles: 'user',
    async go(person) {
      const visitor = await givePassword(person)
      await visitor.postJson('/second-step/challenge', { credential: person.signature })
      return visitor
    },
  },
]

const withBackupCode: Chain = [
  {
    name: 'password, backup code',
    roles: 'one',
    gives: 'factor',
    needs: 'backup code',
    go: (person) => withCode(person, inHand(person.backupCodes[0])),
  },
  {
    name: 'password, used backup code',
    gives: 'nothing',
    needs: 'backup code',
    roles: 'user',
    go: (person) => withCode(person, inHand(person.backupCodes[0])),
  },
  {
    name: 'password, backup code, log-out',
    gives: 'over',
    needs: 'backup code',
    roles: 'user',
    go: async (_person, _others, first) => loggedOut(inHand(first)),
  },
]

const withOneTimeCode: Chain = [
  {
    name: 'password, one-time code',
    roles: 'one',
    gives: 'reset',
    needs: 'one-time code',
    go: (person) => withCode(person, inHand(person.oneTimeCode)),
  },
  {
    name: 'password, used one-time code',
    gives: 'nothing',
    needs: 'one-time code',
    roles: 'user',
    go: (person) => withCode(person, inHand(person.oneTimeCode)),
  },
  {
    name: 'password, one-time code, set-up',
    roles: 'one',
    gives: 'reset, set-up',
    needs: 'one-time code',
    go: async (person, _others, first) => withSetUp(person, inHand(first)),
  },
]

const withLink: Chain = [
  {
    name: "password, the mail's link",
    roles: 'one',
    gives: 'reset',
    needs: 'link',
    go: async (person) => pressLink(person, await givePassword(person)),
  },
  {
    name: "password, the mail's link, set-up",
    roles: 'one',
    gives: 'reset, set-up',
    needs: 'link',
    go: async (person, _others, first) => (first === null ? null : withSetUp(person, first)),
  },
]

/** Roles in which ways are tried. */
export const ROLES_OF: Readonly<Record<Tried, readonly Role[]>> = {
  every: ROLE_NAMES,
  one: ['optional', 'admin, off', 'accepts apps', 'accepts fobs', 'accepts keys'],
  user: ['optional'],
}

export const CHAINS: readonly Chain[] = [
  withoutFactor,
  withApp,
  withTrust,
  onHostsPage,
  withFob,
  withKey,
  withBackupCode,
  withOneTimeCode,
  withLink,
]

/** In the order of the table's rows. */
export const WAYS: readonly Way[] = CHAINS.flat()

/** Comes from a sign-in provider that tells these claims. */
async function comeFrom({ place, user }: Person, claims: UpstreamClaims): Promise<Visitor> {
  const visitor = place.browser()
  await visitor.postJson('/login/provider', { user: user.id, claims })
  return visitor
}

function believed(person: Person): UpstreamClaims {
  return { issuer: PROVIDER, amr: ['pwd', 'mfa'], authTime: secondsAt(person) }
}

function secondsAt({ place }: Person): number {
  return Math.floor(place.system.now() / 1000)
}

/** Gives the password and a code, whatever comes of it. */
async function withCode(person: Person, code: string): Promise<Visitor> {
  const visitor = await givePassword(person)
  await giveCode(visitor, code)
  return visitor
}

async function withSetUp(person: Person, visitor: Visitor): Promise<Visitor> {
  await setUp(person, visitor)
  return visitor
}

/** A browser that has the cookie of a trusted browser, if there is one, and nothing else. */
function withTrustAlone({ place }: Person, visitor: Visitor): Visitor {
  const value = visitor.cookie(TRUST_COOKIE)
  return place.browser({}, value === undefined ? [] : [[TRUST_COOKIE, value]])
}

/** @returns null where no mail with a link was sent */
async function pressLink({ link }: Person, visitor: Visitor): Promise<Visitor | null> {
  if (link === null) return null
  await visitor.postJson(link)
  return visitor
}

async function loggedOut(visitor: Visitor): Promise<Visitor> {
  await visitor.postJson('/logout')
  return visitor
}
