import { fileURLToPath } from 'node:url'
import express, { type Express } from 'express'
import session from 'express-session'
import passport from 'passport'
import { Strategy as LocalStrategy } from 'passport-local'
import { createSecondStep } from 'passport-second-step'
import { problems } from './problems.js'
import { routes } from './routes.js'
import type { Settings } from './settings.js'
import type { Stores } from './stores.js'
import { type User, type UserStore, userWithPassword } from './users.js'

/** The app: a password login as Passport's manual has it, and the second step mounted into it. */
export function makeApp(settings: Settings, stores: Stores): Express {
  const app = express()
  app.disable('x-powered-by')
  app.set('trust proxy', settings.trustProxy)
  app.set('views', fileURLToPath(new URL('views', import.meta.url)))
  app.set('view engine', 'ejs')

  const secondStep = createSecondStep<User>({
    issuer: 'Example App',
    origin: settings.origin,
    keys: settings.secondStepKeys,
    paths: { signIn: '/login', signedIn: '/account' },
    ...stores.secondStep,
  })
  teachPassport(stores.users)

  app.use(sessions(settings, stores))
  app.use(passport.session())
  app.use(secondStep.guard())
  app.use('/second-step', secondStep.router())

  app.use(express.urlencoded({ extended: false }), express.json())
  app.use(routes(stores.users, secondStep))

  app.use(secondStep.errorHandler())
  app.use(problems)
  return app
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

function teachPassport(users: UserStore): void {
  passport.use(
    new LocalStrategy((email, password, done) => {
      userWithPassword(users, email, password).then((user) => done(null, user ?? false), done)
    }),
  )
  passport.serializeUser((user, done) => done(null, (user as User).id))
  passport.deserializeUser((id: string, done) => {
    users.findById(id).then((account) => done(null, account?.user ?? false), done)
  })
}
