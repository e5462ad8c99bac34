// Somebody reads what the second step leaves behind: mails, events, logs with everything switched
// on, errors. And somebody who got hold of a session changes a factor in silence.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'chai'
import supertest from 'supertest'
import { base32Of } from '../../lib/factors/otp/base32.js'
import { type VirtualAuthenticator, virtualAuthenticator } from '../../lib/testing/index.js'
import { JSON_TYPE } from '../support/browser.js'
import { MINUTE, SECOND } from '../support/clock.js'
import { ann } from '../support/host.js'
import { ORIGIN } from '../support/keys.js'
import { type MailServer, startMailServer } from '../support/mail-server.js'
import { moduleFile, NODE_ARGUMENTS } from '../support/modules.js'
import { softwareKey } from '../support/software-key.js'

const HOST = moduleFile('test/support/telling-host')
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

/** What a mail must tell the user of, in the order in which the walk below brings it about. */
const TOLD = [
  'enrolled',
  'pending-login-used-up',
  'backup-code-used',
  'browser-trusted',
  'trusted-browser-reused',
  'backup-codes-made',
  'key-shown',
  'key-changed',
  'disabled',
  'enrolled',
  'authenticator-added',
  'authenticator-locked',
  'backup-code-used',
  'weaker-method-used',
  'reset',
] as const

const SUBJECTS: Record<(typeof TOLD)[number], string> = {
  enrolled: 'Acme: Your second step is on',
  'pending-login-used-up': 'Acme: Somebody may know your password',
  'backup-code-used': 'Acme: A backup code was used',
  'browser-trusted': 'Acme: A browser is now trusted',
  'trusted-browser-reused': 'Acme: A trusted browser may have been copied',
  'backup-codes-made': 'Acme: You have new backup codes',
  'key-shown': 'Acme: Your key was shown again',
  'key-changed': 'Acme: A device of your second step was changed',
  disabled: 'Acme: Your second step is off',
  'authenticator-added': 'Acme: A device was added to your second step',
  'weaker-method-used': 'Acme: A code was used instead of your security key',
  'authenticator-locked': 'Acme: Too many wrong codes',
  reset: 'Acme: Your second step was reset',
}

/** A walk through everything that changes a factor, which remembers every secret that it meets. */
class Walk {
  readonly secrets = new Set<string>()
  readonly answers: string[] = []
  /** The last cookie of a trusted browser. */
  trust = ''
  #now = 0
  #authenticator: VirtualAuthenticator | null = null
  #browser: ReturnType<typeof supertest.agent>
  readonly #url: string

  constructor(url: string) {
    this.#url = url
    this.#browser = supertest.agent(url)
    this.secrets.add(ann.password)
  }

  newBrowser(cookie = ''): void {
    this.#browser = supertest.agent(this.#url)
    if (cookie !== '') this.#browser.set('Cookie', cookie)
  }

  async post(path: string, body: object | string = {}, status = 200) {
    const answer = await this.#browser
      .post(path)
      .set({ Accept: JSON_TYPE, 'Content-Type': JSON_TYPE, 'User-Agent': BROWSER })
      .send(body)
    expect(answer.status, `${path}: ${answer.text}`).to.equal(status)
    return this.#learn(answer)
  }

  async get(path: string) {
    const answer = await this.#browser.get(path).set({ Accept: JSON_TYPE, 'User-Agent': BROWSER })
    expect(answer.status, `${path}: ${answer.text}`).to.equal(200)
    return this.#learn(answer)
  }

  async pass(milliseconds: number): Promise<void> {
    this.#now = (await this.post('/test/advance', { milliseconds })).now
  }

  /** The code of the moment; the time moves on first, so that it is a new one. */
  async code(): Promise<string> {
    await this.pass(30 * SECOND)
    const code = this.#authenticator?.code(this.#now) ?? ''
    this.secrets.add(code)
    return code
  }

  /** A code that is wrong for a long time. It is somebody's secret too, as good as. */
  async wrongCode(): Promise<string> {
    const right = Number(await this.code())
    const wrong = String((right + 500_000) % 1_000_000).padStart(6, '0')
    this.secrets.add(wrong)
    return wrong
  }

  firstStep(status = 200) {
    return this.post('/login', { username: ann.id, password: ann.password }, status)
  }

  adopt({ secret }: { secret: string }): void {
    this.#authenticator = virtualAuthenticator(secret)
  }

  #learn(answer: supertest.Response) {
    this.answers.push(answer.text)
    for (const cookie of ([] as string[]).concat(answer.headers['set-cookie'] ?? [])) {
      const value = decodeURIComponent(cookie.split(';')[0]?.split('=')[1] ?? '')
      // Up to the dot it is the id, which opens nothing without the signature.
      const signature = value.split('.')[1] ?? ''
      if (signature !== '') this.secrets.add(signature)
      if (cookie.startsWith('second-step-trust')) this.trust = cookie.split(';')[0] ?? ''
    }
    const { secret, backupCodes = [] } = answer.body
    for (const code of backupCodes) this.secrets.add(code).add(code.replaceAll('-', ''))
    if (typeof secret === 'string') {
      const bytes = Buffer.from(bytesOf(secret))
      this.secrets.add(secret).add(bytes.toString('hex')).add(bytes.toString('base64'))
      this.secrets.add(bytes.toString('latin1'))
    }
    return answer.body
  }
}

/** The bytes of a base32 text. */
function bytesOf(base32: string): Uint8Array {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...base32]
    .map((char) => alphabet.indexOf(char).toString(2).padStart(5, '0'))
    .join('')
  const bytes = (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2))
  expect(base32Of(Uint8Array.from(bytes))).to.equal(base32)
  return Uint8Array.from(bytes)
}

async function walkThroughEverything(walk: Walk): Promise<void> {
  await walk.firstStep(302)
  walk.adopt(await walk.get('/second-step/setup'))
  const { backupCodes } = await walk.post('/second-step/setup', { code: await walk.code() })
  await walk.post('/second-step/backup-codes/saved')
  await walk.post('/logout')

  walk.newBrowser()
  await walk.firstStep()
  for (let miss = 0; miss < 6; miss += 1) {
    await walk.post('/second-step/challenge', { code: await walk.wrongCode() }, 401)
  }
  await walk.pass(20 * MINUTE)
  await walk.firstStep()
  await walk.post('/second-step/challenge', { code: backupCodes[0] })

  await walk.post('/logout')
  await walk.firstStep()
  await walk.post('/second-step/challenge', { code: await walk.code(), trust: '1' })
  const copy = walk.trust
  await walk.post('/logout')
  await walk.firstStep(302)
  await walk.pass(2 * MINUTE)
  await walk.post('/logout')
  walk.newBrowser(copy)
  await walk.firstStep()
  await walk.post('/second-step/challenge', { code: await walk.code() })

  await walk.post('/second-step/backup-codes', { code: await walk.code() })
  await walk.post('/second-step/show-key', { code: await walk.code() })
  const changed = await walk.post('/second-step/change-key', { code: await walk.code() })
  walk.adopt(changed)
  await walk.post('/second-step/setup', { code: await walk.code() })
  await walk.post('/second-step/disable', { code: await walk.code() })
  walk.adopt(await walk.get('/second-step/setup'))
  const last = await walk.post('/second-step/setup', { code: await walk.code() })

  await walk.post('/test/break', { broken: true })
  await walk.post('/second-step/fresh', { code: await walk.code() }, 503)
  await walk.post('/second-step/fresh', { code: last.backupCodes[1] }, 503)
  await walk.post('/test/end-sessions', {}, 503)
  await walk.post('/test/break', { broken: false })
  await walk.post('/second-step/fresh', `{ "code": "${await walk.code()}"`, 400)

  const added = { code: await walk.code(), type: 'webauthn' }
  const { options } = await walk.post('/second-step/authenticators', added)
  const credential = softwareKey({ origin: ORIGIN }).register(options)
  const withKey = await walk.post('/second-step/setup', { credential })

  for (let miss = 0; miss < 20; miss += 1) {
    await walk.pass(61 * MINUTE)
    await walk.post('/second-step/fresh', { code: await walk.wrongCode() }, 401)
  }
  await walk.post('/second-step/reset', { code: withKey.backupCodes[0] })
}

describe('promise 8: every change of a factor is told, and nothing that is told holds a secret', () => {
  let mailServer: MailServer
  let host: ChildProcess
  let walk: Walk
  let output = ''

  before(async function () {
    this.timeout(30_000)
    mailServer = await startMailServer()
    host = spawn(process.execPath, [...NODE_ARGUMENTS, HOST], {
      env: { ...process.env, DEBUG: '*', SMTP_PORT: String(mailServer.port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const port = await new Promise<string>((resolve, reject) => {
      const read = (chunk: Buffer) => {
        output += chunk
        const listening = /^listening: (\d+)$/m.exec(output)?.[1]
        if (listening !== undefined) resolve(listening)
      }
      host.stdout?.on('data', read)
      host.stderr?.on('data', read)
      host.once('exit', () => reject(new Error(output)))
    })
    walk = new Walk(`http://127.0.0.1:${port}`)
    await walkThroughEverything(walk)
    await mailServer.received(TOLD.length)
    host.kill('SIGTERM')
    await once(host, 'close')
  })
  after(async () => {
    if (host.exitCode === null) host.kill('SIGKILL')
    await mailServer.stop()
  })

  const events = () =>
    [...output.matchAll(/^event: (.*)$/gm)].map(([, json]) => JSON.parse(json ?? ''))
  const leaked = (text: string) => [...walk.secrets].filter((secret) => holds(text, secret))

  it('tells the user by mail of every change, and of every sign that the password is known', () => {
    const subjects = mailServer.mails.map(({ subject }) => subject)
    expect(subjects).to.have.members(TOLD.map((type) => SUBJECTS[type]))
  })

  it('announces every change, with who, when, from where and in which browser', () => {
    const told = events().filter(({ type }) => TOLD.includes(type))
    expect(told.map(({ type }) => type)).to.deep.equal(TOLD)
    for (const event of told) {
      expect(event).to.include({ user: 'ann', ip: '127.0.0.1', userAgent: BROWSER })
      expect(event.actor).to.deep.equal({ kind: 'user', id: 'ann' })
      expect(new Date(event.at).toISOString()).to.equal(event.at)
    }
    expect(events().map(({ type }) => type)).not.to.include('mail-failed')
  })

  it('finds secrets where they belong: in the responses to their own user', () => {
    expect(walk.secrets.size).to.be.above(50)
    const shown = leaked(walk.answers.join('\n'))
    expect(shown.filter((secret) => /^[A-Z2-7]{32}$/.test(secret))).to.have.length(3)
    expect(shown.filter((secret) => secret.includes('-'))).to.have.length(50)
  })

  it('holds none in any mail', () => {
    for (const { raw, text, html } of mailServer.mails) {
      expect(leaked(`${raw}\n${text}\n${html}`)).to.deep.equal([])
    }
  })

  it('holds none in any event', () => {
    expect(events()).to.have.length.above(30)
    expect(leaked(JSON.stringify(events()))).to.deep.equal([])
  })

  it('holds none in any error or in any line of the logs, with DEBUG=*', () => {
    expect(output)
      .to.contain('the store is away')
      .and.match(/express-session/)
    // With DEBUG set express-session writes each cookie that it sets, with or without us.
    const ours = output.replaceAll(/^.*express-session set-cookie .*$/gm, '')
    expect(leaked(ours)).to.deep.equal([])
  })
})

/** Six digits may stand in any long number or name; a code stands alone. */
function holds(text: string, secret: string): boolean {
  if (!/^\d{6}$/.test(secret)) return text.includes(secret)
  return new RegExp(`(?<![\\w.+-])${secret}(?![\\w.+-])`).test(text)
}
