import { expect } from 'chai'
import type { RequestHandler } from 'express'
import { Strategy as LocalStrategy } from 'passport-local'
import type { LimitPasswordOptions } from '../../../lib/index.js'
import { expectProblem, expectSafeHeaders } from '../../support/answers.js'
import { type Browser, browserOf, enrol, HTML, JSON_TYPE } from '../../support/browser.js'
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

const HERE = '203.0.113.7'
const THERE = '198.51.100.9'

/** A host behind a proxy whose login has the limit. */
function limited(
  options: LimitPasswordOptions = {},
  users?: readonly HostUser[],
  more: HostOptions = {},
): Host {
  const routes: HostOptions['routes'] = ({ app, passport, secondStep }) => {
    app.set('trust proxy', 1)
    const limit = secondStep.limitPassword(options)
    app.post('/limited', limit, passport.authenticate('local', { successRedirect: '/inside' }))
    const byEmail = new LocalStrategy({ usernameField: 'email' }, (email, password, done) =>
      done(null, email === 'ann' && password === ann.password && ann),
    )
    passport.use('by-email', byEmail)
    app.post('/by-email', limit, passport.authenticate('by-email', { successRedirect: '/inside' }))
    app.all('/by-hand', limit, (req, res, next) => {
      // A login without Passport's authenticate(): the gate sees it all the same.
      const { password } = req.body ?? req.query
      if (password !== ann.password) res.status(401).json({})
      else req.logIn(ann, (error) => (error ? next(error) : res.json({})))
    })
  }
  return makeHost({ ...more, routes, ...(users === undefined ? {} : { users }) })
}

interface Try {
  readonly body?: object
  readonly ip?: string
  readonly path?: string
}

/** One attempt from a browser of its own. */
function tryOnce(host: Host, { body = {}, ip = HERE, path = '/limited' }: Try = {}) {
  const given = { username: 'ann', password: 'guessed', ...body }
  return browserOf(host).post(path).set({ Accept: JSON_TYPE, 'X-Forwarded-For': ip }).send(given)
}

async function tryOften(host: Host, times: number, one: Try = {}): Promise<void> {
  for (let time = 0; time < times; time += 1) await tryOnce(host, one).expect(401)
}

const right = { password: ann.password }

describe('limitPassword', () => {
  it('refuses the eleventh wrong password of an account from one address, and the right one', async () => {
    const host = limited()
    await tryOften(host, 10)
    const refused = await tryOnce(host)
    expectProblem(refused, 'too-many-attempts', 429)
    expectSafeHeaders(refused)
    expect(Number(refused.headers['retry-after'])).to.be.within(1, 900)
    const alsoRight = await tryOnce(host, { body: right })
    expectProblem(alsoRight, 'too-many-attempts', 429)
    expect(alsoRight.text, 'right and wrong look the same').to.equal(refused.text)
  })

  it('shows a page to a form', async () => {
    const host = limited()
    await tryOften(host, 10)
    const form = browserOf(host).post('/limited').set({ Accept: HTML, 'X-Forwarded-For': HERE })
    const page = await form.type('form').send({ username: 'ann', password: 'x' }).expect(429)
    expect(page.headers).to.have.property('retry-after')
    expect(page.text).to.include('There were too many tries')
  })

  it('does not let a stranger lock an account: the owner signs in from elsewhere', async () => {
    const host = limited()
    await tryOften(host, 10)
    await tryOnce(host).expect(429)
    await tryOnce(host, { ip: THERE, body: right }).expect(302)
    await tryOnce(host, { body: { username: 'bob', password: bob.password } }).expect(302)
  })

  it('counts every way to write an account as one', async () => {
    // better-auth CVE-2026-45364: each other way to write it had attempts of its own.
    const forms = [
      'ann',
      'ANN',
      ' ann',
      'ann\t',
      'Ann',
      'ａｎｎ',
      'ＡＮＮ',
      '\u00a0ann',
      'aNN',
      'anN',
    ]
    const host = limited()
    for (const username of forms) await tryOften(host, 1, { body: { username } })
    await tryOnce(host, { body: right }).expect(429)

    // What MySQL, MariaDB or SQL Server may take for `ann`, each with attempts of its own.
    const folded = ['a\u00adnn', 'an\u200bn', 'ánn', 'åñn', 'ann\u3000', 'ann😀', '\u0363nn', 'ⓐnn']
    const hostThatFolds = limited()
    for (const username of [...folded, 'ann', 'Ann']) {
      await tryOften(hostThatFolds, 1, { body: { username } })
    }
    await tryOnce(hostThatFolds, { body: right }).expect(429)

    const composed = limited({}, [{ ...ann, id: 'zo\u00eb' }])
    for (const username of ['zo\u00eb', 'zoe\u0308']) {
      await tryOften(composed, 5, { body: { username } })
    }
    await tryOnce(composed, { body: { username: 'zo\u00eb', ...right } }).expect(429)
  })

  it('counts all names at an address together that are not in ASCII', async () => {
    // The attack: the host's database has a collation of its own, in which `ÿlva` or `ilvæ` is `ylva`. Each
    // spelling that the package does not know would have ten tries of its own.
    const users = [ann, bob, { ...ann, id: 'алена' }]
    const alena = { username: 'алена', ...right }
    const host = limited({}, users)
    for (let name = 0; name < 15; name += 1) {
      // A right password gives its place back, so an office that writes Cyrillic does not use up the count.
      await tryOnce(host, { body: alena }).expect(302)
      for (const more of [0, 100]) {
        const username = `${String.fromCharCode(0x4e00 + name + more)}丁`
        await tryOften(host, 1, { body: { username } })
      }
    }
    const refused = await tryOnce(host, { body: alena }).expect(429)
    expect(Number(refused.headers['retry-after'])).to.be.within(1, 900)
    await tryOnce(host, { body: { username: 'ёж' } }).expect(429)
    await tryOnce(host, { body: { username: 'bob', email: 'änn', password: bob.password } }).expect(
      429,
    )
    await tryOften(host, 9)
    await tryOnce(host, { body: right }).expect(302)
    await tryOnce(host, { body: alena, ip: THERE }).expect(302)
  })

  it('counts all names at an address together that begin with one number', async () => {
    // The attack: the account is a column of numbers in MySQL, where `42a`, `42b` and so on are 42. Each would
    // have ten tries of its own.
    const host = limited({}, [ann, { ...ann, id: '42nd@acme.example' }])
    const own = { username: '42nd@acme.example', ...right }
    for (let name = 0; name < 30; name += 1) {
      if (name < 3) await tryOnce(host, { body: own }).expect(302)
      await tryOften(host, 1, { body: { username: `42 ${name}` } })
    }
    await tryOnce(host, { body: { username: '042x' } }).expect(429)
    await tryOnce(host, { body: own }).expect(429)
    await tryOnce(host, { body: { username: '43nd' } }).expect(401)
    await tryOnce(host, { body: { username: '42' } }).expect(401)
    await tryOnce(host, { body: own, ip: THERE }).expect(302)
  })

  it('gives no place of a name that is not in ASCII back for another name', async () => {
    // The attack: a right login of the attacker's own, whose form names the victim too, pays for the guess.
    const host = limited()
    for (let name = 0; name < 30; name += 1) {
      const email = `${String.fromCharCode(0x4e00 + name)}丁`
      await tryOnce(host, { body: { email, ...right } }).expect(302)
    }
    await tryOnce(host, { body: { email: 'änn', ...right } }).expect(429)
    await tryOnce(host, { body: right }).expect(302)
  })

  it('counts the account beside a made-up one: username and email, whichever the host reads', async () => {
    // The field that the host does not read is another one at every try.
    const host = limited()
    const made = Array.from({ length: 10 }, (_, index) => `made-up-${index}`)
    for (const email of made) await tryOften(host, 1, { body: { email } })
    await tryOnce(host, { body: { ...right, email: 'another' } }).expect(429)

    const byEmail = limited()
    const path = '/by-email'
    for (const username of made) {
      await tryOften(byEmail, 1, { path, body: { username, email: 'ann' } })
    }
    await tryOnce(byEmail, { path, body: { ...right, username: 'x', email: 'ann' } }).expect(429)
  })

  it('counts the account that passport-local finds in the query', async () => {
    const byQuery = limited()
    for (let time = 0; time < 10; time += 1) {
      const path = '/limited?username=ann'
      await tryOften(byQuery, 1, { path, body: { username: '', email: `made-up-${time}` } })
    }
    const path = `/limited?username=ann&password=${ann.password}`
    await tryOnce(byQuery, { path, body: { username: '', password: '' } }).expect(429)
    await tryOnce(byQuery, { body: right }).expect(429)
  })

  it('counts no account for a field that is left empty, which every form of this kind has', async () => {
    const host = limited()
    for (const email of ['', ' ']) {
      for (let time = 0; time < 12; time += 1) {
        await tryOnce(host, { body: { email, ...right } }).expect(302)
      }
    }
  })

  it('refuses an account that is not a string, because the host might read it as one', async () => {
    const host = limited()
    for (const username of [['ann'], { $ne: null }, true, ['ann', 'bob']]) {
      const answer = await tryOnce(host, { body: { username, ...right } })
      expectProblem(answer, 'malformed-request', 400)
    }
    const twice = browserOf(host).post('/limited').set('Accept', JSON_TYPE).type('form')
    expectProblem(
      await twice.send('username=ann&username=bob&password=x'),
      'malformed-request',
      400,
    )
    await tryOften(host, 10)
  })

  it('refuses a name of millions of characters at once, as no name', async () => {
    // The attack: to normalise marks in descending order takes time that grows with the square of their number. A
    // name of 48,000 marks blocked the process for seconds; this one would do so for hours.
    const host = limited({ account: () => `a${'\u0345\u0315\u0301\u0323'.repeat(1_250_000)}` })
    for (let time = 0; time < 12; time += 1) {
      expectProblem(await tryOnce(host, { body: right }), 'malformed-request', 400)
    }
  })

  it('refuses a name with a thousand blanks behind it, which would have tries of its own', async () => {
    // Strategies trim what was typed, and databases pad what they compare.
    const host = limited()
    const username = `ann${' '.repeat(1000)}`
    for (let time = 0; time < 11; time += 1) {
      const answer = await tryOnce(host, { body: { username } })
      expectProblem(answer, 'malformed-request', 400)
    }
    await tryOnce(host, { body: right }).expect(302)
  })

  it('refuses the 1000 names of one field, and takes no place for any', async () => {
    const host = limited()
    const username = Array.from({ length: 1000 }, (_, index) => `name ${index}`)
    for (let time = 0; time < 101; time += 1)
      await tryOnce(host, { body: { username } }).expect(400)
    await tryOnce(host).expect(401)
  })

  it('gives the place of a right password back, and no others', async () => {
    const host = limited()
    for (let time = 0; time < 12; time += 1) await tryOnce(host, { body: right }).expect(302)
    await tryOften(host, 9)
    await tryOnce(host, { body: right }).expect(302)
    await tryOften(host, 1)
    await tryOnce(host, { body: right }).expect(429)
  })

  it('takes a login that becomes pending for a right password', async () => {
    const host = limited()
    await enrol(host, ann)
    for (let time = 0; time < 12; time += 1) {
      const answer = await tryOnce(host, { body: right }).expect(200)
      expect(answer.body.status).to.equal('code-required')
    }
  })

  it('takes a login by the host’s own code for one', async () => {
    const host = limited()
    for (let time = 0; time < 12; time += 1) {
      await tryOnce(host, { path: '/by-hand', body: right }).expect(200)
    }
    await tryOften(host, 10, { path: '/by-hand' })
    await tryOnce(host, { path: '/by-hand', body: right }).expect(429)
    await tryOnce(host, { body: right }).expect(429)
  })

  it('is as wide as the policy says', async () => {
    const host = limited()
    await setPolicy(host, { passwordAttempts: 3 })
    await tryOften(host, 3)
    await tryOnce(host, { body: right }).expect(429)
    await setPolicy(host, { passwordAttempts: 5 })
    await tryOften(host, 2)
    await tryOnce(host, { body: right }).expect(429)
  })

  it('lets no burst of parallel tries through', async () => {
    const host = limited()
    const answers = await Promise.all(Array.from({ length: 40 }, () => tryOnce(host)))
    expect(answers.filter(({ status }) => status === 401)).to.have.length(10)
    expect(answers.filter(({ status }) => status === 429)).to.have.length(30)
  })

  it('refuses the 101st wrong password of one address, for all accounts together', async () => {
    const host = limited()
    for (let account = 0; account < 100; account += 1) {
      await tryOften(host, 1, { body: { username: `user-${account}` } })
    }
    await tryOnce(host, { body: right }).expect(429)
    await tryOnce(host, { ip: THERE, body: right }).expect(302)
  })

  // The mistake: a customer number counted as no username, and the eleventh right login was refused.
  it('gives its place back to a login by a username that is a number', async () => {
    const describe = ({ id, name }: HostUser) => ({ id, name, username: 4711 })
    const host = limited({}, undefined, { options: { describe } })
    for (let time = 0; time < 11; time += 1) {
      const body = { username: time % 2 === 0 ? '4711' : 4711, ...right }
      await tryOnce(host, { path: '/by-hand', body }).expect(200)
    }
  })

  it('does not use up the address with tries that it refuses', async () => {
    const host = limited()
    await tryOften(host, 10)
    for (let time = 0; time < 110; time += 1) await tryOnce(host).expect(429)
    await tryOnce(host, { body: { username: 'bob', password: bob.password } }).expect(302)
  })

  // The attack: one login ends the process. The promise of an async `account` rejected, and nobody waited for it.
  it('refuses an async `account`, and lives on where its promise rejects', async () => {
    const later = (async () => 'ann') as unknown as () => string
    expect(() => limited({ account: later })).to.throw(
      /`limitPassword.account` must answer at once/,
    )
    const host = limited({ account: () => Promise.reject(new Error('away')) as unknown as string })
    const { text } = await tryOnce(host).expect(500)
    expect(text).to.include('ConfigurationError: `limitPassword.account` must answer at once')
  })

  it('takes the account from the host’s function if the form has another field', async () => {
    const host = limited({ account: (req) => req.body.login })
    const body = (username: string) => ({ username, login: 'ann' })
    for (let time = 0; time < 10; time += 1) {
      await tryOnce(host, { body: body(`made-up-${time}`) }).expect(401)
    }
    await tryOnce(host, { body: { ...body('ann'), ...right } }).expect(429)
    await tryOnce(host, { body: { username: 'ann', login: null, ...right } }).expect(302)
  })

  // The mistake: the form has `login`, or the name comes by HTTP Basic; each account is guessed at from many addresses.
  it('tells where somebody signs in by a name that it has not counted', async () => {
    const { authorization } = { authorization: `Basic ${btoa(`ann:${ann.password}`)}` }
    const said = (send: (browser: Browser) => PromiseLike<unknown>) =>
      warningsDuring(async () => {
        await send(browserOf(limited()))
      })
    const noName = { email: '', login: 'ann', ...right }
    const ways: ReadonlyArray<readonly [number, (browser: Browser) => PromiseLike<unknown>]> = [
      [1, (browser) => browser.post('/by-hand').send(noName).expect(200)],
      [
        1,
        (browser) =>
          browser
            .put('/by-hand')
            .send({ login: 'ann', ...right })
            .expect(200),
      ],
      [1, (browser) => browser.get('/by-hand').query(right).set({ authorization }).expect(200)],
      // As from a sign-in provider, where no password was typed.
      [0, (browser) => browser.get('/by-hand').query(right).expect(200)],
      [0, (browser) => browser.post('/by-hand').send({ username: '', email: '' }).expect(401)],
      [
        0,
        (browser) =>
          browser
            .post('/by-hand')
            .send({ username: 'ann', ...right })
            .expect(200),
      ],
    ]
    for (const [index, [warnings, send]] of ways.entries()) {
      const about = (await said(send)).filter((one) => one.includes('found no account in a login'))
      expect([index, about.length]).to.deep.equal([index, warnings])
    }
  })

  // The mistake: behind the strategy it sees no wrong password, and right ones use the limit up.
  it('tells where it is mounted behind the login', async () => {
    const host = makeHost({
      routes: ({ app, passport, secondStep }) => {
        const answer: RequestHandler = (_req, res) => res.json({})
        app.post('/behind', passport.authenticate('local'), secondStep.limitPassword(), answer)
        app.post('/front', secondStep.limitPassword(), passport.authenticate('local'), answer)
      },
    })
    const said = (path: string) =>
      warningsDuring(async () => {
        const body = { username: 'ann', ...right }
        for (let time = 0; time < 2; time += 1) {
          await browserOf(host).post(path).send(body).expect(200)
        }
      })
    expect(await said('/front')).to.deep.equal([])
    const [warning = '', ...more] = await said('/behind')
    expect(warning).to.contain('mount it in front')
    expect(more).to.deep.equal([])
  })

  // The mistake: mounted by app.use() on the path of the form, it counts who only looks.
  it('tells where views of a page have used up an address', async () => {
    const host = makeHost({
      routes: ({ app, secondStep }) => {
        app.use('/sign', secondStep.limitPassword(), (_req, res) => res.json({}))
      },
    })
    const said = await warningsDuring(async () => {
      for (let time = 0; time < 100; time += 1) await browserOf(host).get('/sign').expect(200)
      for (let time = 0; time < 2; time += 1) await browserOf(host).get('/sign').expect(429)
    })
    expect(said).to.have.length(1)
    expect(said[0]).to.contain('not by app.use()')
  })

  it('looks at no password once the host has answered: with its own time-out, say', async () => {
    let [reached, answered] = [0, 0]
    const host = makeHost({
      routes: ({ app, secondStep }) => {
        app.set('trust proxy', 1)
        app.post(
          '/limited',
          (_req, res, next) => {
            const { findPolicy } = host.store
            host.store.findPolicy = async () => {
              host.store.findPolicy = findPolicy
              answered += 1
              res.status(503).json({})
              return findPolicy.call(host.store)
            }
            next()
          },
          secondStep.limitPassword(),
          () => {
            reached += 1
          },
        )
      },
    })
    const counted = host.store.findPolicy
    for (let time = 0; time < 3; time += 1) await tryOnce(host, { body: right }).expect(503)
    expect(host.store.findPolicy).to.equal(counted)
    expect({ reached, answered }).to.deep.equal({ reached: 0, answered: 3 })
  })

  it('lets nobody in where the counters cannot be asked', async () => {
    const host = limited()
    host.store.findPolicy = () => Promise.reject(new Error('away'))
    await tryOnce(host, { body: right }).expect(503)
  })
})
