import { demandOf } from '../../domain/standing.js'
import { ConfigurationError } from '../../errors/configuration-error.js'
import { shownRoute } from '../request/destination.js'
import type { Site } from '../request/site.js'
import { type GuardState, knownGuardStateOf } from '../request/visitor.js'
import type { FoundUser } from '../request/watching.js'
import { isWithoutSession } from './check-log-in-options.js'
import { demandOfFound } from './demand-of-found.js'

/** Milliseconds between two looks at who signs in in front of the guard: only a warning depends on them. */
const LOOKS_EVERY = 1000
const lookedAt = new WeakMap<Site, number>()

/**
 * A login without a session, in front of the guard, answers with the password alone. The app may mean it for
 * an API of its own: then it says so.
 */
export function warnInFront(site: Site, found: FoundUser): void {
  const { options, guarded } = found
  const now = nowOrNull(site)
  if (now === null) return
  const isLately = Math.abs(now - (lookedAt.get(site) ?? Number.NEGATIVE_INFINITY)) < LOOKS_EVERY
  if (!guarded || isLately || options.secondStep === false) return
  lookedAt.set(site, now)
  if (isWithoutSession(options)) {
    lookInFront(site, found, inFront)
    return
  }
  const { res } = found.req
  res?.once('finish', () => {
    // A middleware in front of the guard signs in as well, and then the guard meets its user.
    const isUnseen = knownGuardStateOf(found.req) === undefined && res.statusCode < 400
    if (isUnseen) lookInFront(site, found, unseenByGuard)
  })
}

/** Null where the host's clock fails. Strategies call back where nobody catches. */
function nowOrNull({ system, failureReporter }: Site): number | null {
  try {
    return system.now()
  } catch (error) {
    failureReporter.report(error)
    return null
  }
}

function lookInFront(
  site: Site,
  found: FoundUser,
  mistake: (site: Site, found: FoundUser) => ConfigurationError,
): void {
  const { user } = found
  const look = async () => {
    const account = site.describe(user)
    const userContext = await site.sessions.userContextAtLogin(account.id, account.subject)
    if (demandOf(userContext, site.system.now()) === 'nothing') return
    site.failureReporter.report(mistake(site, found))
  }
  look().catch((error) => site.failureReporter.report(error))
}

function inFront(site: Site, found: FoundUser): ConfigurationError {
  return new ConfigurationError(
    `${shownRoute(found.req, site)}: ${callOf(found)} runs in front of guard(), so a user with a second step got in with the first ` +
      'step alone. Mount guard() in front of that route, or, if that is meant, write { session: false, secondStep: false }',
  )
}

function unseenByGuard(site: Site, found: FoundUser): ConfigurationError {
  return new ConfigurationError(
    `${shownRoute(found.req, site)}: ${callOf(found)} answers in front of guard(), which does not see that login: the next request of a ` +
      'user with a second step finds nobody signed in. Mount guard() in front of that route',
  )
}

/**
 * A host's callback that hands something out without calling `req.logIn` skips the gate. (A user
 * who is signed in already may be confirming the password, or linking an account.)
 */
export function warnWithoutLogIn(state: GuardState, found: FoundUser): void {
  warnOnceAnswered(state, found, withoutLogIn)
}

/** Who links an account is signed in. Where nobody is, the account may stand in for the user. */
export function warnBeside(state: GuardState, found: FoundUser): void {
  if (state.visitor.kind !== 'signed-in') warnOnceAnswered(state, found, besideNobody)
}

function warnOnceAnswered(
  state: GuardState,
  found: FoundUser,
  mistake: (site: Site, found: FoundUser) => ConfigurationError,
): void {
  const { site, res, visitor } = state
  const signedIn = visitor.kind === 'signed-in' ? visitor.userId : null
  res.once('finish', () => {
    if (state.calledLogIn || res.statusCode >= 400) return
    needsSecondStep(state, found, signedIn).then(
      (needed) => needed && site.failureReporter.report(mistake(site, found)),
      // Not a user of the host, or unknown: not worth a failure for a warning.
      () => undefined,
    )
  })
}

async function needsSecondStep(
  state: GuardState,
  { user }: FoundUser,
  signedIn: string | null,
): Promise<boolean> {
  const account = state.site.describe(user)
  return account.id !== signedIn && (await demandOfFound(state, account)) !== 'nothing'
}

function besideNobody(site: Site, { req, strategy, options }: FoundUser): ConfigurationError {
  return new ConfigurationError(
    `${shownRoute(req, site)}: by passport.authorize(), or by \`assignProperty\`, the strategy '${strategy}' put a user who has ` +
      `passed the first step alone on req.${options.assignProperty}, and nobody is signed in. Hand nothing out for that user, ` +
      `or sign them in: passport.authenticate('${strategy}')`,
  )
}

function withoutLogIn(site: Site, found: FoundUser): ConfigurationError {
  const { strategy, callsBackFrom } = found
  const made = `passport.${callsBackFrom ?? 'authenticate'}('${strategy}', `
  return new ConfigurationError(
    `${shownRoute(found.req, site)}: the callback of ${made}…) answered for a user who has passed ` +
      'the first step alone. Call req.logIn(user, (error) => …) in it and hand nothing out before that calls ' +
      `back, or write ${made}{ session: false }, …)`,
  )
}

/** The host's call, as it stands in a message. */
export function callOf({ callsBackFrom, strategy }: FoundUser): string {
  return `passport.${callsBackFrom ?? 'authenticate'}('${strategy}', …)`
}
