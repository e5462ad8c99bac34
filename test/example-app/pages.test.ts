// The example app is what everybody sees first.

import { expect } from 'chai'
import { Redis } from 'ioredis'
import type { Page } from 'playwright-core'
import { PHONE, withPage } from '../support/chromium.js'
import {
  type ExampleApp,
  enrolNewPerson,
  newPerson,
  passwordLogin,
  startExampleApp,
} from '../support/example-app.js'
import { expectGoodDarkness, expectGoodLook } from '../support/good-look.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { Visitor } from '../support/visitor.js'

const LANGUAGES = {
  en: { 'accept-language': 'de, en;q=0.9', signIn: 'Sign in', wrong: 'address or password' },
  ru: { 'accept-language': 'ru-RU,ru;q=0.9,en;q=0.8', signIn: 'Вход', wrong: 'адрес или пароль' },
  it: { 'accept-language': 'it', signIn: 'Accedi', wrong: 'password' },
  es: { 'accept-language': 'es-419,es;q=0.9', signIn: 'Inicia sesión', wrong: 'contraseña' },
}

describe('The pages of the example app', function () {
  this.timeout(60_000)
  let redis: RedisServer
  let app: ExampleApp
  before(async () => {
    redis = await startRedisServer()
    app = await startExampleApp({ REDIS_URL: redis.url })
  })
  after(async () => {
    await app?.stop()
    await redis?.stop()
  })

  for (const [lang, { signIn, wrong, ...headers }] of Object.entries(LANGUAGES)) {
    it(`speak the browser’s language as the second step does: ${lang}`, async () => {
      const visitor = new Visitor(app.url, headers)
      const person = newPerson()
      for (const path of ['/', '/login', '/register', '/mailbox', '/nothing']) {
        const { text } = await visitor.getPage(path)
        expect(text, path).to.include(`<html lang="${lang}">`)
        expect(text, path).to.not.match(/undefined|\bproblem\.|>[a-z]+\.[a-z-]+</)
      }
      expect((await visitor.getPage('/login')).text).to.include(`<h1>${signIn}</h1>`)
      const refused = await passwordLogin(visitor, person)
      expect(refused.status).to.equal(401)
      expect(JSON.parse(refused.text).detail).to.include(wrong)
      await visitor.postJson('/register', person)
      for (const path of ['/', '/account', '/second-step/']) {
        expect((await visitor.getPage(path)).text, path).to.include(`<html lang="${lang}"`)
      }
    })
  }

  it('tell a load balancer that the app is ready', async () => {
    const answer = await fetch(`${app.url}/ready`)
    expect(answer.status).to.equal(200)
    expect(answer.headers.get('set-cookie')).to.equal(null)
    const parts = { store: 'ok', counters: 'ok', audit: 'ok', marker: 'ok', migration: 'ok' }
    expect(await answer.json()).to.deep.equal({ ok: true, parts: { ...parts, mail: 'not-asked' } })
  })

  it('make no session for a stranger, who is led on after the login all the same', async () => {
    // A robot that asks for the account all day must not fill Redis.
    const client = new Redis(redis.url)
    const sessions = async () => (await client.keys('sess:*')).length
    const before = await sessions()
    const visitor = new Visitor(app.url)
    const person = newPerson()
    for (const path of ['/account', '/account?from=bookmark', '/admin/second-step/users']) {
      const { status, headers } = await visitor.getPage(path)
      expect([status, headers.location]).to.deep.equal([303, '/login'])
      expect(String(headers['set-cookie'])).to.not.include('sid=')
    }
    await visitor.getPage('/account?from=bookmark')
    for (const path of ['/', '/login', '/register', '/nothing']) await visitor.getPage(path)
    expect((await passwordLogin(visitor, person)).status).to.equal(401)
    expect(await sessions()).to.equal(before)
    client.disconnect()

    await new Visitor(app.url).postJson('/register', person)
    const { email: username, password } = person
    const login = await visitor.postForm('/login', { username, password })
    expect(login.headers.location).to.equal('/account?from=bookmark')
    await visitor.postForm('/logout')
    const again = await visitor.postForm('/login', { username, password })
    expect(again.headers.location, 'once').to.equal('/account')
  })

  for (const evil of [
    '//evil.example',
    '/\\evil.example',
    'https://evil.example/',
    '/.//evil',
    '/%',
    'x',
  ]) {
    it(`lead no login to ${evil}`, async () => {
      const person = newPerson()
      await new Visitor(app.url).postJson('/register', person)
      const cookies: [string, string][] = [['return-to', encodeURIComponent(evil)]]
      const visitor = new Visitor(app.url, {}, cookies)
      const { email: username, password } = person
      const { status, headers } = await visitor.postForm('/login', { username, password })
      expect(status).to.equal(303)
      expect(headers.location).to.match(/^\/(account|%25)$/)
    })
  }

  it('say on the sign-in page that the second step was reset', async () => {
    const visitor = new Visitor(app.url)
    const said = 'Your second step is reset'
    expect((await visitor.getPage('/login')).text).to.not.include(said)
    expect((await visitor.getPage('/login?secondStep=reset')).text).to.include(said)
    expect((await visitor.getPage('/login?secondStep[]=reset')).text).to.not.include(said)
  })

  it('tie what went wrong to its field', async () => {
    const visitor = new Visitor(app.url)
    const person = newPerson()
    await visitor.postJson('/register', person)
    const tied = ({ text }: { text: string }) =>
      [
        ...text.matchAll(/<input id="(\w+)"[^>]*aria-invalid="true" aria-describedby="problem"/g),
      ].map(([, id]) => id)
    const login = (fields: Record<string, string>) => visitor.postForm('/login', fields)
    const register = (fields: Record<string, string>) => visitor.postForm('/register', fields)
    const wrong = await login({ username: person.email, password: 'wrong-password' })
    expect(tied(wrong)).to.deep.equal(['username', 'password'])
    expect(wrong.text).to.match(/<input id="password"[^>]* autofocus/)
    expect(wrong.text).to.include('id="problem"').and.include(`value="${person.email}"`)
    expect(tied(await login({ username: person.email, password: '' }))).to.deep.equal(['password'])
    expect(tied(await register({ ...person }))).to.deep.equal(['email'])
    const { email } = newPerson()
    expect(tied(await register({ ...person, email, password: 'short' }))).to.deep.equal([
      'password',
    ])
    expect(tied(await register({ ...person, email: 'x' }))).to.deep.equal(['email'])
    expect(tied(await register({ ...person, email, name: '' }))).to.deep.equal(['name'])
    expect(tied(await visitor.getPage('/login'))).to.deep.equal([])
    const json = await visitor.postJson('/login', { username: person.email })
    expect(JSON.parse(json.text)).to.include({ code: 'malformed-request', field: 'password' })
  })

  it('show a mail as HTML, cut off from the page, and as text', async () => {
    await enrolNewPerson(new Visitor(app.url))
    const shown = async () => (await new Visitor(app.url).getPage('/mailbox')).text
    let text = await shown()
    while (!text.includes('<article')) text = await shown()
    const [frame = ''] = /<iframe[^>]*>/.exec(text) ?? []
    expect(frame)
      .to.match(/ sandbox="[^"]*"/)
      .and.to.not.match(/allow-(same-origin|scripts)/)
    expect(frame).to.include('srcdoc="&lt;!doctype html&gt;')
    expect(text).to.match(/<pre[^>]*>Your second step is on/)
  })

  const views = [
    { locale: 'en', colorScheme: 'light' },
    { locale: 'ru', colorScheme: 'dark' },
    { locale: 'it', colorScheme: 'light' },
    { locale: 'es', colorScheme: 'light' },
  ] as const
  for (const view of views) {
    it(`are accessible, fit a phone, and have buttons that stand apart: ${view.locale}`, async () => {
      await withPage({ ...view, viewport: PHONE, bypassCSP: true }, async (page) => {
        const look = async (path: string) => {
          await page.goto(`${app.url}${path}`)
          await page.setViewportSize(PHONE)
          expect(await closeButtons(page), path).to.deep.equal([])
          await expectGoodLook(page, path)
          await expectGoodDarkness(page, path)
        }
        for (const path of ['/', '/login', '/register', '/mailbox', '/nothing']) await look(path)
        await page.goto(`${app.url}/login`)
        await page.locator('#username').fill('admin@example.test')
        await page.locator('#password').fill('wrong-password')
        await page.locator('button.main').click()
        await page.locator('#problem').waitFor()
        await expectGoodLook(page, 'a wrong password')
        await page.locator('#password').fill('admin-password')
        await page.locator('button.main').click()
        await page.waitForURL('**/account')
        for (const path of ['/account?done=transfer', '/']) await look(path)
      })
    })
  }

  it('lead from the mailbox to the link in a mail', async () => {
    const person = await enrolNewPerson(new Visitor(app.url))
    // As the links in mails have it.
    const url = app.url.replace('127.0.0.1', 'localhost')
    await withPage({}, async (page) => {
      await page.goto(`${url}/login`)
      await page.locator('#username').fill(person.email)
      await page.locator('#password').fill(person.password)
      await page.locator('button.main').click()
      await page.waitForURL('**/challenge')
      await page.goto(`${url}/second-step/lost`)
      await page.locator('#email').fill(person.email)
      await page.locator('button.main').click()
      await page.locator('.done').waitFor()
      const link = page.frameLocator('iframe').first().locator('a[href*="/lost/"]').first()
      await page.goto(`${url}/mailbox`)
      while ((await link.count()) === 0) await page.reload()
      const [opened] = await Promise.all([page.context().waitForEvent('page'), link.click()])
      await opened.locator('button.danger').waitFor()
    })
  })
})

/** Buttons with less than 8 pixels between them and the one before. */
function closeButtons(page: Page): Promise<unknown> {
  return page.evaluate(`(() => {
    const boxes = [...document.querySelectorAll('main :is(button, .button)')]
      .map((each) => ({ text: each.textContent, box: each.getBoundingClientRect() }))
    return boxes.slice(1).filter(({ box }, index) => {
      const before = boxes[index].box
      return box.top - before.bottom < 8 && box.left - before.right < 8
    }).map(({ text }) => text)
  })()`)
}
