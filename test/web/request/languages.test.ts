import { expect } from 'chai'
import type { Request } from 'express'
import { getJson, getPage, postJson } from '../../support/answers.js'
import { type Browser, browserOf, enrol, giveCode, passFirstStep } from '../../support/browser.js'
import { type Host, type HostUser, makeHost } from '../../support/host.js'
import { setPolicy } from '../../support/visits.js'
import { warningsDuring } from '../../support/warnings.js'

interface User extends HostUser {
  readonly locale?: string
}

const greta: User = { id: 'greta', name: 'Greta', password: 'greta-password' }
const russian: User = { ...greta, locale: 'ru' }

const langOf = async (browser: Browser, path: string, accepted = 'es') => {
  const { text } = await getPage(browser, path).set('Accept-Language', accepted)
  return /<html lang="([\w-]+)"/.exec(text)?.[1]
}

async function signedIn(host: Host, user: User): Promise<Browser> {
  const browser = browserOf(host)
  await enrol(host, user, browser)
  return browser
}

describe('The language of a page', () => {
  it('is what the browser asks for, where nobody knows better', async () => {
    const browser = browserOf(makeHost())
    expect(await langOf(browser, '/second-step', 'it;q=0.5, ru')).to.equal('ru')
    expect(await langOf(browser, '/second-step', 'it-CH')).to.equal('it')
    expect(await langOf(browser, '/second-step', 'tlh, *')).to.equal('en')
  })

  it('is not read from a header of thousands of languages', async () => {
    // The attack: to read and order a header of 16 KB takes some ten milliseconds, several times a request.
    const browser = browserOf(makeHost())
    const many = (length: number) => `it${',tlh'.repeat(1000)}`.slice(0, length)
    expect(await langOf(browser, '/second-step', many(1000))).to.equal('it')
    expect(await langOf(browser, '/second-step', many(1001))).to.equal('en')
  })

  it('is the user’s own before that', async () => {
    const browser = await signedIn(makeHost({ users: [russian] }), russian)
    expect(await langOf(browser, '/second-step')).to.equal('ru')
  })

  it('is the user’s own between the steps too', async () => {
    const host = makeHost({ users: [russian] })
    await signedIn(host, russian)
    const browser = browserOf(host)
    await passFirstStep(browser, russian)
    expect(await langOf(browser, '/second-step/challenge')).to.equal('ru')
  })

  it('is the user’s own also where a session became pending in place', async () => {
    const host = makeHost({ users: [russian] })
    const browser = browserOf(host)
    await passFirstStep(browser, russian)
    await setPolicy(host, { mode: 'required' })
    expect(await langOf(browser, '/second-step/setup')).to.equal('ru')
    await getJson(browser, '/inside').expect(401)
  })

  it('is what the host’s function says before anything else', async () => {
    const asked: Request[] = []
    const options = {
      language: (req: Request) => {
        asked.push(req)
        return req.get('x-language')
      },
    }
    const browser = await signedIn(makeHost({ users: [russian], options }), russian)
    browser.set('X-Language', 'it')
    expect(await langOf(browser, '/second-step')).to.equal('it')
    browser.set('X-Language', 'tlh')
    expect(await langOf(browser, '/second-step')).to.equal('ru')
    expect(asked).not.to.have.length(0)
  })

  it('cannot wait for the host’s function: a promise of its is a mistake that is named', async () => {
    const rejected = () => Promise.reject(new Error('away'))
    for (const language of [() => Promise.resolve('it'), rejected]) {
      const browser = browserOf(makeHost({ options: { language: language as never } }))
      const answer = await getPage(browser, '/second-step')
      expect(answer.status).to.equal(500)
      expect(answer.text).to.contain('ConfigurationError').and.contain('`language`')
    }
  })

  it('tells once of an answer of the host’s function that is no tag, such as a list', async () => {
    for (const [answer, kind] of [
      [['it', 'en'], 'list'],
      [{ tag: 'it' }, 'object'],
      [5, 'number'],
    ] as const) {
      const browser = browserOf(makeHost({ options: { language: () => answer as never } }))
      const [said, ...more] = await warningsDuring(async () => {
        expect(await langOf(browser, '/second-step')).to.equal('es')
        await langOf(browser, '/second-step')
      })
      expect(said).to.include(`\`language\` answered with a ${kind}`).and.include("'it'")
      expect(more).to.deep.equal([])
    }
    for (const none of [undefined, null, '', 'tlh']) {
      const browser = browserOf(makeHost({ options: { language: () => none as never } }))
      const said = await warningsDuring(() => langOf(browser, '/second-step'))
      expect(said).to.deep.equal([])
    }
  })

  it('passes over what is no language', async () => {
    for (const nonsense of [5, null, {}, '', '*', 'x'.repeat(9999), '../../etc/passwd']) {
      const language = () => nonsense as unknown as string
      const browser = browserOf(makeHost({ options: { language } }))
      expect(await langOf(browser, '/second-step')).to.equal('es')
    }
  })
})

describe('The language of a refusal in JSON', () => {
  it('is chosen alike, and its code is the same in all', async () => {
    const browser = browserOf(makeHost())
    const answers = await Promise.all(
      ['en', 'ru', 'it', 'es'].map((accepted) =>
        getJson(browser, '/second-step').set('Accept-Language', accepted),
      ),
    )
    expect(new Set(answers.map(({ body }) => body.code))).to.deep.equal(new Set(['not-signed-in']))
    expect(new Set(answers.map(({ body }) => body.detail)).size).to.equal(4)
  })

  it('is the user’s own at the challenge', async () => {
    const host = makeHost({ users: [russian] })
    await signedIn(host, russian)
    const browser = browserOf(host)
    await passFirstStep(browser, russian)
    const refused = await giveCode(browser, '000000').set('Accept-Language', 'es')
    expect(refused.body.title).to.equal('Код не подошёл')
  })
})

describe('A language of the host’s', () => {
  it('is chosen like ours, and lacks nothing: what it does not say is in English', async () => {
    const messages = { de: { 'settings.title': 'Zweiter Schritt' }, it: { 'settings.back': 'Via' } }
    const browser = await signedIn(makeHost({ users: [greta], options: { messages } }), greta)
    const { text } = await getPage(browser, '/second-step').set('Accept-Language', 'de')
    expect(text).to.contain('<html lang="de"').and.contain('Zweiter Schritt')
    const italian = await getPage(browser, '/second-step').set('Accept-Language', 'it')
    expect(italian.text).to.contain('>Via<').and.contain('Autenticazione a due fattori configurata')
    expect((await postJson(browser, '/logout')).status).to.equal(200)
  })
})
