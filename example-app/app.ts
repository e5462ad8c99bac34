import { isIP } from 'node:net'
import { fileURLToPath } from 'node:url'
import express, { type Express, type RequestHandler } from 'express'
import session from 'express-session'
import { createTransport } from 'nodemailer'
import passport from 'passport'
import { Strategy as LocalStrategy } from 'passport-local'
import {
  createSecondStep,
  type MailOptions,
  type SecondStep,
  type SecondStepOptions,
} from 'passport-second-step'
import type { Mailbox } from './mailbox.js'
import { refuseOtherSites } from './other-sites.js'
import type { Passwords } from './passwords.js'
import { problems, wantsJson } from './problems.js'
import { requireRole, routes } from './routes.js'
import type { Settings } from './settings.js'
import type { Stores } from './stores.js'
import { speakTheirLanguage } from './texts.js'
import { type User, type UserStore, userWithPassword } from './users.js'

/** Who may do what; in this app users and admins. */
export type Staff = Pick<SecondStepOptions<User>, 'roles' | 'helpDeskRoles'>

/** The app: a password login as Passport's manual has it, and the second step mounted into it. */
export function makeApp(
  settings: Settings,
  stores: Stores,
  passwords: Passwords,
  staff: Staff = { roles: ['user', 'admin'] },
): { app: Express; secondStep: SecondStep<User> } {
  const app = express()
  app.disable('x-powered-by')
  app.set('trust proxy', settings.trustProxy)
  app.set('views', fileURLToPath(new URL('views', import.meta.url)))
  app.set('view engine', 'ejs')
  app.use('/assets', express.static(fileURLToPath(new URL('assets', import.meta.url))))
  app.use(speakTheirLanguage)

  const secondStep = createSecondStep<User>({
    issuer: 'Example App',
    origin: settings.origin,
    keys: settings.secondStepKeys,
    paths: { signIn: '/login', signedIn: '/account' },
    users: {
      findById: async (id) => (await stores.users.findById(id))?.user ?? null,
      list: (query) => stores.users.list(query),
    },
    ...staff,
    ...(hasKeys(settings) ? { webauthn: {} } : {}),
    ...mailOf(settings, stores),
    ...stores.secondStep,
  })
  teachPassport(stores.users, passwords)

  const { production, smtpUrl } = settings
  if (smtpUrl === null && !production) app.get('/mailbox', showMailbox(stores.mailbox))
  app.get('/ready', isReady(secondStep))
  app.use(sessions(settings, stores))
  app.use(passport.session())
  app.use(secondStep.guard())
  app.use('/second-step', secondStep.router())
  const admins = requireRole('admin', ...(staff.helpDeskRoles ?? []))
  app.use('/admin/second-step', admins, secondStep.adminRouter())

  app.use(express.urlencoded({ extended: false }), express.json())
  app.use(refuseOtherSites(settings.origin), routes(stores.users, passwords, secondStep))

  app.use(secondStep.errorHandler())
  app.use(problems)
  return { app, secondStep }
}

/** Whether browsers have security keys here: they are made for a domain, and for https or this machine. */
function hasKeys({ origin }: Settings): boolean {
  const { protocol, hostname } = new URL(origin)
  if (hostname === 'localhost') return true
  return protocol === 'https:' && isIP(hostname.replace(/^\[(.*)\]$/, '$1')) === 0
}

/** How mails go out: by a mail server, else into the mailbox; in production never there. */
function mailOf(
  { smtpUrl, mailFrom: from, production }: Settings,
  { mailbox }: Stores,
): { mail?: MailOptions } {
  if (smtpUrl !== null) return { mail: { transport: createTransport(smtpUrl), from } }
  return production ? {} : { mail: { transport: mailbox.transport, from } }
}

/** In front of sessions and guard: whoever waits at the challenge reads their mails too. */
function showMailbox(mailbox: Mailbox): RequestHandler {
  return async (req, res) => {
    const mails = await mailbox.list()
    res.set('Cache-Control', 'no-store')
    if (wantsJson(req)) res.json(mails)
    else res.render('mailbox', { mails })
  }
}

/** For a load balancer, in front of sessions and guard. */
function isReady(secondStep: SecondStep<User>): RequestHandler {
  return async (_req, res) => {
    const { ok, parts } = await secondStep.health()
    res.set('Cache-Control', 'no-store')
    res.status(ok ? 200 : 503).json({ ok, parts })
  }
}

function sessions({ origin, sessionSecret }: Settings, { sessions: store }: Stores) {
  return session({
    name: 'sid',
    secret: sessionSecret,
    store,
    resave: false,
    saveUninitialized: false,
    cookie: { httpOnly: true, sameSite: 'lax', secure: origin.startsWith('https:') },
  })
}

function teachPassport(users: UserStore, passwords: Passwords): void {
  passport.use(
    new LocalStrategy((email, password, done) => {
      userWithPassword(users, passwords, email, password).then(
        (user) => done(null, user ?? false),
        done,
      )
    }),
  )
  passport.serializeUser((user, done) => done(null, (user as User).id))
  passport.deserializeUser((id: string, done) => {
    users.findById(id).then((account) => done(null, account?.user ?? false), done)
  })
}
