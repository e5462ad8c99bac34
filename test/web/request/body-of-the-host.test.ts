import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import express from 'express'
import { expectProblem, postForm, postJson } from '../../support/answers.js'
import { badForms, badJson, sendBad } from '../../support/bad-bodies.js'
import { giveCode, JSON_TYPE } from '../../support/browser.js'
import type { Host, HostOptions } from '../../support/host.js'
import { missTimes, pendingVisit, recordOf } from '../../support/visits.js'

const CHALLENGE = '/second-step/challenge'

/** A host that reads every body before the package does, under wide limits of its own. */
const readsBodies: HostOptions = {
  beforeGuard: ({ app }) => {
    // Express's own error handler writes to the console otherwise.
    app.set('env', 'test')
    app.use(express.json({ limit: '1mb' }), express.urlencoded({ extended: true, limit: '1mb' }))
  },
}

/** A host that reads bodies as something else than fields. */
const readsRaw: HostOptions = {
  beforeGuard: ({ app }) => {
    app.use(CHALLENGE, express.text({ type: '*/*', limit: '1mb' }))
  },
}

describe('a body that the host has parsed', () => {
  it('is read as one that the package parses', async () => {
    const { browser, enrolment } = await pendingVisit(readsBodies)
    await giveCode(browser, enrolment.code()).expect(200)
    const other = await pendingVisit(readsBodies)
    await postForm(other.browser, CHALLENGE, { code: other.enrolment.code() }).expect(303)
  })

  it('costs no try where it is bad', async () => {
    const visit = await pendingVisit(readsBodies)
    const before = await recordOf(visit.host)
    // The host's own parser answers what it cannot parse: nothing of it reaches the package.
    const parsed = [badForms, badJson].flatMap(Object.values).filter(({ status }) => status === 400)
    for (const bad of parsed) {
      const post = visit.browser.post(CHALLENGE).set('Accept', JSON_TYPE)
      expect((await sendBad(post, bad)).status, bad.body?.toString()).to.equal(400)
    }
    expect(await recordOf(visit.host)).to.deep.equal(before)
    await missTimes(5, visit)
  })

  it('has the limit of 4 KB for each field', async () => {
    const { host, browser } = await pendingVisit(readsBodies)
    const before = await recordOf(host)
    for (const [length, status] of [
      [4096, 400],
      [4097, 413],
      [200_000, 413],
    ] as const) {
      const code = '1'.repeat(length)
      expectProblem(await postJson(browser, CHALLENGE, { code }), 'malformed-request', status)
      const form = browser.post(CHALLENGE).set('Accept', JSON_TYPE).type('form').send({ code })
      expectProblem(await form, 'malformed-request', status)
    }
    expect(await recordOf(host)).to.deep.equal(before)
  })

  it('measures a field in bytes', async () => {
    const { browser } = await pendingVisit(readsBodies)
    const beside = { code: '123456', more: 'é'.repeat(2049) }
    expectProblem(await postJson(browser, CHALLENGE, beside), 'malformed-request', 413)
  })

  it('holds no code where the host made no fields of it', async () => {
    const { browser, enrolment } = await pendingVisit(readsRaw)
    const right = { code: enrolment.code() }
    expectProblem(await postJson(browser, CHALLENGE, right), 'malformed-request', 400)
    const page = await postForm(browser, CHALLENGE, right)
    expect(page.status).to.equal(400)
  })
})

// POST 4 MB of text, or a list of a million numbers, to a host that parses as much: the process lists
// the "fields" for seconds and runs out of memory.
describe('a large body without fields', () => {
  const bodies: Readonly<Record<string, () => unknown>> = {
    'a text': () => 'a'.repeat(2 ** 26),
    bytes: () => Buffer.alloc(2 ** 26),
    'a list': () =>
      new Proxy<number[]>([], {
        ownKeys: () => expect.fail('the members of a list were asked for'),
      }),
  }
  for (const [name, make] of Object.entries(bodies)) {
    it(`is not searched for any: ${name}`, async () => {
      const body = make()
      const { browser, host } = await pendingVisit({
        beforeGuard: ({ app }) =>
          void app.use((req, _res, next) => {
            if (req.method === 'POST' && req.get('x-large') !== undefined) req.body = body
            next()
          }),
      })
      const before = await recordOf(host)
      const post = (path: string) =>
        browser
          .post(path)
          .set({ accept: JSON_TYPE, 'x-large': 'yes', 'content-type': 'text/plain' })
      expectProblem(await post(CHALLENGE), 'malformed-request', 400)
      expect(await recordOf(host)).to.deep.equal(before)
      expect((await post('/second-step/cancel')).status).to.equal(200)
    })
  }

  it('has at most a thousand fields', async () => {
    const { browser } = await pendingVisit(readsBodies)
    const fields = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, '1']))
    expectProblem(await postJson(browser, CHALLENGE, fields(1000)), 'malformed-request', 400)
    expectProblem(await postJson(browser, CHALLENGE, fields(1001)), 'malformed-request', 413)
  })
})

describe('a body that supertest would not send', () => {
  it('is refused in chunks over 4 KB, and without a type', async () => {
    const { host, enrolment } = await pendingVisit()
    const before = await recordOf(host)
    const cookie = await cookieOfPending(host)
    const headers = { cookie, accept: JSON_TYPE }
    const form = { ...headers, 'content-type': 'application/x-www-form-urlencoded' }
    const right = `code=${enrolment.code()}`
    expect(await sendRaw(host, form, [right, '&x=', 'x'.repeat(5000)])).to.equal(413)
    expect(await sendRaw(host, headers, [right])).to.equal(415)
    expect(await sendRaw(host, form, [])).to.equal(400)
    expect(await recordOf(host)).to.deep.equal(before)
    expect(await sendRaw(host, form, ['code=', enrolment.code()])).to.equal(200)
  })
})

/** A pending login's cookie, from the first step of a browser of its own. */
async function cookieOfPending(host: Host): Promise<string> {
  const body = JSON.stringify({ username: 'ann', password: 'ann-password' })
  const headers = { 'content-type': JSON_TYPE, accept: JSON_TYPE }
  let cookie = ''
  await sendRaw(host, headers, [body], '/login', (given) => {
    cookie = given
  })
  return cookie
}

/** Posts chunks as they are, and answers the status. */
async function sendRaw(
  { app }: Host,
  headers: Record<string, string>,
  chunks: readonly string[],
  path = CHALLENGE,
  takeCookie: (cookie: string) => void = () => undefined,
): Promise<number> {
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  try {
    return await new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path, method: 'POST', headers }, (answer) => {
        const [cookie] = answer.headers['set-cookie'] ?? []
        if (cookie !== undefined) takeCookie(cookie.split(';', 1)[0] ?? '')
        answer.resume().once('end', () => resolve(answer.statusCode ?? 0))
      })
      sent.once('error', reject)
      for (const chunk of chunks) sent.write(chunk)
      sent.end()
    })
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}
