import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { RequestHandler } from 'express'
import { Strategy } from 'passport'
import type { Mail, SecondStepOptions } from '../../../lib/index.js'
import { DAY, type MovedSystem } from '../clock.js'
import { type Host, type HostParts, type HostUser, makeHost } from '../host.js'
import { ORIGIN } from '../keys.js'
import { hasLink, linkIn, lostHost } from '../lost.js'
import { believesProvider, mountProvider } from '../provider.js'
import { Visitor } from '../visitor.js'
import { setPolicy } from '../visits.js'

export const ADMIN = '/admin/second-step'

/** The cookie of a trusted browser. */
export const TRUST_COOKIE = 'second-step-trust.second-step'

/** The roles, by what the policy says of them: the columns of the tables. */
export const ROLES = {
  off: { mode: 'off', isAdmin: false },
  optional: { mode: 'optional', isAdmin: false },
  required: { mode: 'required', isAdmin: false },
  'admin, off': { mode: 'off', isAdmin: true },
  'admin, required': { mode: 'required', isAdmin: true },
  'accepts apps': { mode: 'required', isAdmin: false, accepts: 'totp' },
  'accepts fobs': { mode: 'required', isAdmin: false, accepts: 'hotp' },
  'accepts keys': { mode: 'required', isAdmin: false, accepts: 'webauthn' },
} as const satisfies Readonly<Record<string, Rule>>

/** What the policy says of a role. */
interface Rule {
  readonly mode: 'off' | 'optional' | 'required'
  readonly isAdmin: boolean
  /** The one method that it accepts. Default: all. */
  readonly accepts?: Accepted
}

type Accepted = 'totp' | 'hotp' | 'webauthn'

/** The one method that counts for users of a role, or null. */
export function acceptedOf(role: Role): Accepted | null {
  const rule: Rule = ROLES[role]
  return rule.accepts ?? null
}

export type Role = keyof typeof ROLES

export const ROLE_NAMES = Object.keys(ROLES) as readonly Role[]

/** A running app, and what a test needs to act on it from outside. */
export interface Place {
  readonly host: Host
  readonly system: MovedSystem
  /** A browser without cookies, or with these. */
  browser(headers?: Readonly<Record<string, string>>, cookies?: Iterable<[string, string]>): Visitor
  readonly mails: readonly Mail[]
  /** Resolves when what comes of every answer is done. */
  idle(): Promise<void>
  /** The path of the last link that was mailed there, or null. */
  linkFor(email: string): Promise<string | null>
  stop(): Promise<void>
}

/**
 * Starts an app that has the package mounted as the README says, and that checks nothing itself: the
 * package alone refuses.
 */
export async function startPlace(
  users: readonly HostUser[],
  more: Partial<SecondStepOptions<HostUser>> = {},
): Promise<Place> {
  const byId = new Map(users.map((user) => [user.id, user]))
  const socket: { answer?: RequestHandler } = {}
  const { options, mails, idle } = lostHost(
    {
      roles: ROLE_NAMES,
      adminRoles: ROLE_NAMES.filter((name) => ROLES[name].isAdmin),
      authenticators: ['totp', 'hotp', 'webauthn'],
      webauthn: { rpId: 'acme.example', origins: [ORIGIN] },
      canAdminister: () => true,
      upstream: believesProvider,
      trustedBrowsers: { days: 14 },
      ...more,
    },
    users,
  )
  const host = makeHost({
    ...options,
    beforeGuard: (parts) => {
      options.beforeGuard?.(parts)
      parts.app.get('/socket', (req, res, next) => socket.answer?.(req, res, next))
      parts.app.use(rememberMe(byId))
    },
    mountFirst: (parts) => parts.app.use(credentials(parts, byId)),
    mount: ({ app, secondStep }) => void app.use(ADMIN, secondStep.adminRouter()),
    routes: (parts) => {
      mountDoors(parts)
      mountProvider(parts, users)
    },
  })
  socket.answer = socketOf(host)

  const server = host.app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  return {
    host,
    system: host.system,
    browser: (headers, cookies) => new Visitor(url, headers, cookies),
    mails,
    idle: () => idle(host),
    async linkFor(email) {
      await idle(host)
      const mail = mails.findLast((one) => one.to === email && hasLink(one))
      return mail === undefined ? null : linkIn(mail)
    },
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** Puts the rule of each role in force, the required ones since long ago. */
export async function enforce({ host, system }: Place): Promise<void> {
  const required = ROLE_NAMES.filter((name) => ROLES[name].mode === 'required')
  const longAgo = system.now() - 100 * DAY
  await setPolicy(host, {
    roles: Object.fromEntries(ROLE_NAMES.map((name) => [name, ROLES[name].mode])),
    accepts: Object.fromEntries(
      ROLE_NAMES.flatMap((name) => {
        const accepted = acceptedOf(name)
        return accepted === null ? [] : [[name, [accepted]]]
      }),
    ),
    requiredSince: {
      general: null,
      roles: Object.fromEntries(required.map((name) => [name, longAgo])),
    },
  })
}

/** Middleware in front of the guard that signs in whom a cookie of its own names. */
function rememberMe(users: ReadonlyMap<string, HostUser>): RequestHandler {
  return (req, _res, next) => {
    const user = users.get(req.get('x-remembered') ?? '')
    if (user === undefined || req.isAuthenticated()) next()
    else req.logIn(user, next)
  }
}

/** A credential in each request, without a session. */
function credentials({ passport }: HostParts, users: ReadonlyMap<string, HostUser>) {
  passport.use(
    new (class extends Strategy {
      override readonly name = 'credential'
      override authenticate(req: IncomingMessage) {
        const user = users.get(req.headers.authorization ?? '')
        if (user === undefined) this.fail()
        else this.success(user)
      }
    })(),
  )
  const plain: RequestHandler = passport.authenticate('credential', { session: false })
  const strong = { session: false, secondStep: false } as const
  const issuedAfter: RequestHandler = passport.authenticate('credential', strong)
  const handler: RequestHandler = (req, res, next) => {
    if (req.get('authorization') === undefined) next()
    else (req.get('x-issued') === 'after both steps' ? issuedAfter : plain)(req, res, next)
  }
  return handler
}

/** The request of a web socket, which no guard sees. */
function socketOf({ secondStep }: Host): RequestHandler {
  return (req, res) => {
    secondStep.requireSignedIn(req).then(
      (user) => res.json({ user: user.id }),
      (error) => res.status(401).json({ code: error.code }),
    )
  }
}

function mountDoors({ app, passport, secondStep }: HostParts): void {
  passport.use(secondStep.strategy())
  const done: RequestHandler = (req, res) => {
    res.json({ user: (req.user as HostUser | undefined)?.id ?? null })
  }
  app.post('/payout', secondStep.requireFresh(), done)
  app.post('/owners', secondStep.requireFresh({ accepts: ['webauthn'] }), done)
  app.post('/profile', secondStep.requireFresh({ notEnrolled: 'pass' }), done)
  app.get('/login/help', done)
  app.post('/login/keep', passport.authenticate('local', { keepSessionInfo: true }), done)
  app.post('/login/code', passport.authenticate('second-step'), done)
}
