import type { AppName } from '../apps/index.js'
import { codeOfStep, fromBase32, STEP, secretOf, valueOfStep } from '../apps/totp.js'
import type { AppProcess } from './app-process.js'
import { type Answer, type Asked, check, cookieOf, type Expected } from './http-client.js'

/** What a user proves the second step with. */
export interface Proofs {
  readonly secret: Uint8Array
  readonly backupCodes: readonly string[]
}

/** How an app is asked for the same things as the others. */
export interface Wire {
  login(id: string): Asked
  /** The answer to a password of a user who has a second step, and of one who has none. */
  readonly pending: Expected
  readonly signedIn: Expected
  code(code: string, cookie: string): Asked
  backupCode(code: string, cookie: string): Asked
  readonly accepted: Expected
  readonly refused: Expected
  /** Makes an account without a second step, where the app does not know everybody. */
  register?(app: AppProcess, id: string): Promise<void>
  enrol(app: AppProcess, id: string, now: number): Promise<Proofs>
  /** Whether the app takes each code once, so that its clock is put on between two rounds. */
  readonly takesCodesOnce: boolean
  readonly asksForCodes: boolean
  /** The code to give at a time, where it is not simply the one of that time. */
  readonly codeAt?: (secret: Uint8Array, at: number) => string
}

const SIGNED_IN = { status: 200, body: '"signed-in"' }
const CODE_REQUIRED = { status: 200, body: '"code-required"' }

const plain: Wire = {
  login: (id) => ({
    method: 'POST',
    path: '/login',
    body: { username: id, password: `password of ${id}` },
  }),
  pending: SIGNED_IN,
  signedIn: SIGNED_IN,
  code: (code, cookie) => ({ method: 'POST', path: '/code', cookie, body: { code } }),
  backupCode: (code, cookie) => ({ method: 'POST', path: '/code', cookie, body: { code } }),
  accepted: SIGNED_IN,
  refused: { status: 401, body: 'Unauthorized' },
  enrol: async (_app, id) => ({ secret: secretOf(id), backupCodes: [] }),
  takesCodesOnce: false,
  asksForCodes: false,
}

const totp: Wire = { ...plain, asksForCodes: true, codeAt: codeForNotp }

const byHand: Wire = {
  ...plain,
  pending: CODE_REQUIRED,
  refused: { status: 401, body: '"wrong-code"' },
  async enrol(app, id) {
    const answer = await app.client.ask({ method: 'POST', path: `/enrol/${id}` })
    check(answer, { status: 200, body: 'backupCodes' })
    return { secret: secretOf(id), backupCodes: JSON.parse(answer.body).backupCodes }
  },
  takesCodesOnce: true,
  asksForCodes: true,
}

const ours: Wire = {
  ...plain,
  pending: CODE_REQUIRED,
  code: (code, cookie) => ({
    method: 'POST',
    path: '/second-step/challenge',
    cookie,
    body: { code },
  }),
  backupCode: (code, cookie) => ours.code(code, cookie),
  refused: { status: 401, body: '"wrong-code"' },
  async enrol(app, id, now) {
    const login = await app.client.ask(ours.login(id))
    check(login, SIGNED_IN)
    const path = '/second-step/setup'
    const shown = await app.client.ask({ path, cookie: cookieOf(login) })
    check(shown, { status: 200, body: '"secret"' })
    const secret = fromBase32(JSON.parse(shown.body).secret)
    const cookie = cookieOf(shown) || cookieOf(login)
    const body = { code: codeAt(secret, now) }
    const done = await app.client.ask({ method: 'POST', path, cookie, body })
    check(done, { status: 200, body: '"enrolled"' })
    return { secret, backupCodes: JSON.parse(done.body).backupCodes }
  },
  takesCodesOnce: true,
  asksForCodes: true,
}

const AUTH = '/api/auth'

const betterAuth: Wire = {
  login: (id) => ({
    method: 'POST',
    path: `${AUTH}/sign-in/email`,
    body: { email: `${id}@example.test`, password: `password of ${id}` },
  }),
  pending: { status: 200, body: '"twoFactorRedirect":true' },
  signedIn: { status: 200, body: '"token"' },
  code: (code, cookie) => ({
    method: 'POST',
    path: `${AUTH}/two-factor/verify-totp`,
    cookie,
    body: { code },
  }),
  backupCode: (code, cookie) => ({
    method: 'POST',
    path: `${AUTH}/two-factor/verify-backup-code`,
    cookie,
    body: { code },
  }),
  accepted: { status: 200, body: '"token"' },
  refused: { status: 401, body: 'INVALID_CODE' },
  async register(app, id) {
    await signUp(app, id)
  },
  async enrol(app, id, now) {
    const cookie = cookieOf(await signUp(app, id))
    const path = `${AUTH}/two-factor/enable`
    const body = { password: `password of ${id}` }
    const enabled = await app.client.ask({ method: 'POST', path, cookie, body })
    check(enabled, { status: 200, body: '"totpURI"' })
    const { totpURI, backupCodes } = JSON.parse(enabled.body)
    const secret = fromBase32(new URL(totpURI).searchParams.get('secret') ?? '')
    const done = await app.client.ask(betterAuth.code(codeAt(secret, now), cookie))
    check(done, { status: 200, body: '"token"' })
    return { secret, backupCodes }
  },
  takesCodesOnce: false,
  asksForCodes: true,
}

async function signUp(app: AppProcess, id: string): Promise<Answer> {
  const body = { email: `${id}@example.test`, name: id, password: `password of ${id}` }
  const answer = await app.client.ask({ method: 'POST', path: `${AUTH}/sign-up/email`, body })
  check(answer, { status: 200, body: '"token"' })
  return answer
}

/** passport-totp's notp cuts a value below 100,000 wrongly: its user gives the code before. */
function codeForNotp(secret: Uint8Array, at: number): string {
  const step = Math.floor(at / STEP)
  return codeOfStep(secret, valueOfStep(secret, step) < 100_000 ? step - 1 : step)
}

export function codeAt(secret: Uint8Array, at: number): string {
  return codeOfStep(secret, Math.floor(at / STEP))
}

export function wireOf(name: AppName): Wire {
  if (name.startsWith('ours')) return ours
  if (name === 'by hand') return byHand
  if (name === 'better-auth') return betterAuth
  return name.startsWith('passport-totp') ? totp : plain
}
