import {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
  Router,
} from 'express'
import passport from 'passport'
import type { SecondStep } from 'passport-second-step'
import type { Passwords } from './passwords.js'
import { Refusal, wantsJson } from './problems.js'
import { putBackWhere, rememberWhere, takeUpWhere } from './return-to.js'
import { canonicalEmail, register, type User, type UserStore } from './users.js'

/** The app's own pages and JSON. None of them knows of the second step but the transfer. */
export function routes(
  users: UserStore,
  passwords: Passwords,
  secondStep: SecondStep<User>,
): Router {
  const router = Router()
  router.get('/', (req, res) => res.render('home', { user: userOf(req) }))

  router.get('/login', (req, res) => {
    // The second step says so when its own reset has ended every session.
    res.render('login', { ...NOTHING_TYPED, reset: req.query.secondStep === 'reset' })
  })
  router.post(
    '/login',
    requireTexts('login', 'username', 'password'),
    secondStep.limitPassword(),
    takeUpWhere,
    passport.authenticate('local', { failWithError: true, keepSessionInfo: true }),
    rightPassword,
    wrongPassword,
  )

  router.get('/register', (_req, res) => res.render('register', NOTHING_TYPED))
  router.post(
    '/register',
    requireTexts('register', 'email', 'name', 'password'),
    signUp(users, passwords),
  )

  router.post('/logout', (req, res, next) => {
    req.logout((error) => (error ? next(error) : answer(req, res, '/', { status: 'signed-out' })))
  })

  router.get('/account', requireLogin, (req, res) => {
    const user = userOf(req)
    res.set('Cache-Control', 'no-store')
    if (wantsJson(req)) res.json({ user })
    else res.render('account', { user, done: req.query.done === 'transfer' })
  })
  router.post('/transfer', secondStep.requireFresh(), (req, res) =>
    answer(req, res, '/account?done=transfer', { status: 'done' }),
  )

  router.use(() => {
    throw new Refusal(404, 'not-found', 'not-found')
  })
  return router
}

const NOTHING_TYPED = { problem: null, problemIn: [], typed: { email: '', name: '' } }
const LONGEST_TEXT = 254
const SHORTEST_PASSWORD = 8

function userOf(req: Request): User | null {
  return req.isAuthenticated() ? (req.user as User) : null
}

/** All that a page needs to be protected: between the two steps nobody is authenticated. */
const requireLogin: RequestHandler = (req, res, next) => {
  if (req.isAuthenticated()) return next()
  if (wantsJson(req)) throw new Refusal(401, 'not-signed-in', 'not-signed-in')
  if (req.method === 'GET') rememberWhere(req, res)
  res.redirect(303, '/login')
}

/** Who is an admin is the app's own business. */
export function requireRole(...roles: readonly string[]): RequestHandler {
  return (req, res, next) =>
    requireLogin(req, res, () => {
      if (userOf(req)?.roles.some((role) => roles.includes(role)) === true) return next()
      throw new Refusal(403, 'forbidden', 'forbidden')
    })
}

function signUp(users: UserStore, passwords: Passwords): RequestHandler {
  return async (req, res, next) => {
    const { email, name, password } = req.body
    if (!/^[^\s@]+@[^\s@]+$/.test(canonicalEmail(email))) {
      throw new Refusal(400, 'malformed-request', 'no-address', 'register', ['email'])
    }
    if (password.length < SHORTEST_PASSWORD) {
      throw new Refusal(400, 'malformed-request', 'short-password', 'register', ['password'])
    }
    const user = await register(users, passwords, { email, name: name.trim(), password })
    if (user === null) {
      throw new Refusal(409, 'email-taken', 'email-taken', 'register', ['email'])
    }
    req.logIn(user, (error) => (error ? next(error) : answerSignedIn(req, res, 201)))
  }
}

/** After a login that needed no second step; where one is needed the guard answers itself. */
function answerSignedIn(req: Request, res: Response, status: number): void {
  const { returnTo = '/account' } = req.session
  delete req.session.returnTo
  answer(req, res, returnTo, { status: 'signed-in' }, status)
}

const rightPassword: RequestHandler = (req, res) => answerSignedIn(req, res, 200)

const wrongPassword: ErrorRequestHandler = (error, req, res, next) => {
  if (error.name !== 'AuthenticationError') return next(error)
  putBackWhere(req, res)
  next(new Refusal(401, 'invalid-credentials', 'credentials', 'login', ['password', 'username']))
}

function answer(req: Request, res: Response, next: string, body: object, status = 200): void {
  if (wantsJson(req)) res.status(status).json(body)
  else res.redirect(303, next)
}

function requireTexts(page: 'login' | 'register', ...names: readonly string[]): RequestHandler {
  const isText = (value: unknown) =>
    typeof value === 'string' && value.trim() !== '' && value.length <= LONGEST_TEXT
  return (req, _res, next) => {
    const body: unknown = req.body
    const wrong = names.filter((name) => !isText(Reflect.get(Object(body), name)))
    if (wrong.length === 0) return next()
    throw new Refusal(400, 'malformed-request', 'fill-in', page, wrong)
  }
}
