// The attack: the directory takes ANN for ann, and the host's strategy gives the typed name as the user's id. Whoever
// knows ann's password types ANN and has another record: without her second step, and without her roles.

import { expect } from 'chai'
import type { RequestHandler } from 'express'
import { Strategy as LocalStrategy } from 'passport-local'
import type { SecondStepOptions } from '../../../lib/index.js'
import { getJson, postJson } from '../../support/answers.js'
import { type Browser, browserOf, enrol, JSON_TYPE } from '../../support/browser.js'
import {
  ann,
  bob,
  type Host,
  type HostOptions,
  type HostUser,
  makeHost,
} from '../../support/host.js'
import { setPolicy } from '../../support/visits.js'
import { warningsDuring } from '../../support/warnings.js'

type FindById = NonNullable<SecondStepOptions<HostUser>['users']>['findById']

const clerk: HostUser = { ...ann, roles: ['clerk'] }
const PEOPLE = [clerk, bob]
/** Whom the host's sessions may name. */
const NAMED = [...PEOPLE, ...['ANN', 'ann '].map((id) => ({ id, name: id, password: 'none' }))]

/** As a directory compares: without case, without blanks at the end. */
const alike = async (id: string) => PEOPLE.find((user) => user.id === id.toLowerCase().trimEnd())
const exact = async (id: string) => PEOPLE.find((user) => user.id === id)

function hostWith(findById: FindById, more: HostOptions = {}): Host {
  const host = makeHost({
    ...more,
    users: NAMED,
    options: { roles: ['clerk', 'admin', 'robot'], users: { findById }, ...more.options },
    routes: (parts) => {
      parts.app.post('/bind', parts.passport.authenticate('bind', { successRedirect: '/inside' }))
      more.routes?.(parts)
    },
  })
  host.passport.use(
    'bind',
    new LocalStrategy((name, password, done) => {
      alike(name).then((user) => {
        const typed = { id: name, name, password }
        done(null, user?.password === password ? typed : false)
      }, done)
    }),
  )
  return host
}

function bind(browser: Browser, typed: string, path = '/bind') {
  return postJson(browser, path, { username: typed, password: ann.password })
}

const token =
  (parts: Pick<Host, 'passport'>): RequestHandler =>
  (req, res, next) => {
    const answer = (error: unknown, user?: unknown) =>
      error ? next(error) : res.json({ token: (user as HostUser).id })
    parts.passport.authenticate('bind', { session: false }, answer)(req, res, next)
  }

describe('A strategy that gives the typed name as id', () => {
  for (const typed of ['ANN', 'ann ']) {
    it(`signs nobody in as ${JSON.stringify(typed)} where findById answers ann, and names the fix`, async () => {
      const host = hostWith(alike)
      await enrol(host, ann)
      const browser = browserOf(host)
      const said = await warningsDuring(() => bind(browser, typed).expect(500))
      await getJson(browser, '/inside').expect(401)
      expect(said.join()).to.equal('')
      expect(await failureOf(alike, typed))
        .to.contain('`users.findById(id)`')
        .and.contain(JSON.stringify(typed))
        .and.contain('"ann"')
        .and.contain('`user.id`')
    })
  }

  it('hands out no token either', async () => {
    const host = hostWith(alike, { routes: (parts) => parts.app.post('/token', token(parts)) })
    await bind(browserOf(host), 'ann', '/token').expect(200, { token: 'ann' })
    await bind(browserOf(host), 'ANN', '/token').expect(500)
  })

  it('signs nobody in who is signed in in front of the guard', async () => {
    const host = hostWith(alike, {
      beforeGuard: ({ app }) => {
        app.post('/early', (req, _res, next) => {
          req.logIn({ id: 'ANN', name: 'ANN' } as Express.User, next)
        })
      },
    })
    const browser = browserOf(host)
    await postJson(browser, '/early').expect(500)
    await getJson(browser, '/inside').expect(401)
  })

  it('escapes no rule of a role where findById finds nobody', async () => {
    const host = hostWith(exact)
    await setPolicy(host, { roles: { clerk: 'required' } })
    const { body } = await bind(browserOf(host), 'ANN').expect(200)
    expect(body.status).to.equal('setup-required')
  })

  it('escapes no rule of everybody by a role that eases, where findById finds nobody', async () => {
    const host = hostWith(exact)
    await setPolicy(host, { mode: 'required', roles: { robot: 'off' } })
    const { body } = await bind(browserOf(host), 'ANN').expect(200)
    expect(body.status).to.equal('setup-required')
  })

  it('escapes no rule of a role by a session from before the rule', async () => {
    let find: FindById = exact
    const host = hostWith((id) => find(id))
    const browser = browserOf(host)
    await bind(browser, 'ANN').expect(302)
    await getJson(browser, '/inside').expect(200)
    await setPolicy(host, { roles: { clerk: 'required' } })
    for (find of [exact, alike]) await getJson(browser, '/inside').expect(401)
    await browser.post('/logout').set('Accept', JSON_TYPE).expect(200)
  })
})

/** What the host's own error handler is given. */
async function failureOf(findById: FindById, typed: string): Promise<string> {
  const told: unknown[] = []
  const host = hostWith(findById, {
    routes: ({ app }) => {
      app.use((error: unknown, _req: unknown, _res: unknown, next: (error: unknown) => void) => {
        told.push(error)
        next(error)
      })
    },
  })
  await bind(browserOf(host), typed)
  const [error] = told
  expect(error).to.be.instanceOf(Error).and.have.property('name', 'ConfigurationError')
  return (error as Error).message
}

describe('A findById that finds whoever signs in', () => {
  it('is called once at a login by both steps, and at no request after it', async () => {
    const asked: string[] = []
    const host = hostWith(async (id) => {
      asked.push(id)
      return exact(id)
    })
    const { code } = await enrol(host, ann)
    asked.length = 0
    const browser = browserOf(host)
    await bind(browser, 'ann').expect(200)
    await postJson(browser, '/second-step/challenge', { code: code() }).expect(200)
    await getJson(browser, '/inside').expect(200)
    expect(asked).to.deep.equal(['ann'])
  })

  it('refuses a login where it fails', async () => {
    const host = hostWith(() => Promise.reject(new Error('away')))
    await warningsDuring(() => bind(browserOf(host), 'ann').expect(503))
  })
})
