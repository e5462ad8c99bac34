// Somebody without the password knows an e-mail address, and tries to send mails, to lock the owner
// out, or to find out whether the account has a second step. Somebody with the password tries to find
// out the address by the answers' bytes and times.

import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { expect } from 'chai'
import { getJson, getPage, postForm, postJson } from '../support/answers.js'
import { browserOf, enrol } from '../support/browser.js'
import { longer } from '../support/compared-times.js'
import { ann, bob, makeHost } from '../support/host.js'
import { lostHost, lostVisit, member } from '../support/lost.js'
import { moduleFile, NODE_ARGUMENTS } from '../support/modules.js'
import { Visitor } from '../support/visitor.js'
import { pendingBrowser, recordOf } from '../support/visits.js'

const MAILING_HOST = moduleFile('test/support/mailing-host')
const LOST = '/second-step/lost'

/** What an answer shows: all of it but the time, and what is random in it. */
function shown({ status, headers, text }: Awaited<ReturnType<typeof getJson>>): object {
  const { date: _, 'set-cookie': __, ...rest } = headers
  return { status, headers: rest, text }
}

describe('Strangers can do nothing', () => {
  it('no route of theirs sends a mail or writes a record', async () => {
    const { host, mails, ask, idle } = await lostVisit()
    await ask()
    mails.splice(0)
    const before = await recordOf(host)
    const stranger = browserOf(host)
    const paths = [
      LOST,
      `${LOST}/cancel`,
      `${LOST}/cancelled`,
      `${LOST}/ab.cd`,
      `${LOST}/ab.cd/cancel`,
    ]
    for (const each of [...paths, '/second-step/challenge', '/second-step/reset']) {
      for (let time = 0; time < 3; time += 1) {
        await postJson(stranger, each, { email: member.email, code: '123456' })
        await postForm(stranger, each, { email: member.email, code: '123456' })
        await getPage(stranger, each)
      }
    }
    await idle()
    expect(mails).to.deep.equal([])
    expect(await recordOf(host)).to.deep.equal(before)
  })

  it('a made-up link says the same of everybody', async () => {
    // The token names its user, so a stranger can forge one for any user.
    const { host, ask } = await lostVisit({}, [member, { ...bob, email: 'bob@acme.example' }])
    await ask()
    const stranger = browserOf(host)
    const answers = []
    for (const user of ['ann', 'bob', 'nobody', 'x'.repeat(500)]) {
      const [secret, mac] = [randomBytes(32), randomBytes(32)]
      const parts = [Buffer.from(user), secret, mac].map((part) => part.toString('base64url'))
      const path = `${LOST}/${parts.join('.')}`
      answers.push(
        [
          await getJson(stranger, path),
          await postJson(stranger, path),
          await postJson(stranger, `${path}/cancel`),
        ].map(shown),
      )
    }
    const [first, ...others] = answers
    for (const other of others) expect(other).to.deep.equal(first)
    expect((await recordOf(host)).mailReset).not.to.equal(null)
  })

  it('a wrong password is answered alike with and without a second step', async () => {
    const { host } = await lostVisit({}, [member, bob])
    const answers = []
    for (const { id } of [ann, bob]) {
      const browser = browserOf(host)
      answers.push(shown(await postJson(browser, '/login', { username: id, password: 'wrong' })))
    }
    expect(answers[0]).to.deep.equal(answers[1])
  })
})

describe('Somebody who knows the password', () => {
  it('gets the same bytes for a right address, a wrong one, and one that had its mails', async () => {
    const { host, browser, mails, idle } = await lostVisit()
    for (const send of [postJson, postForm]) {
      const answers = []
      for (const email of [member.email, 'eve@evil.example', member.email, member.email]) {
        answers.push(shown(await send(browser, LOST, { email })))
        await idle()
        // Nor do the pages that follow tell.
        for (const path of [LOST, '/second-step/challenge']) {
          answers.push(shown(await getPage(browser, path)), shown(await getJson(browser, path)))
        }
      }
      const [asked, ...pages] = answers.slice(0, 5)
      for (let index = 0; index < answers.length; index += 5) {
        expect(answers.slice(index, index + 5)).to.deep.equal([asked, ...pages])
      }
    }
    expect(mails).to.have.length(1)
    expect((await recordOf(host)).mailReset).not.to.equal(null)
  })

  const hanging: ((sent: unknown) => void)[] = []
  after(() => {
    for (const letGo of hanging) letGo(undefined)
  })

  for (const [what, sendMail] of Object.entries({
    throws: () => {
      throw new Error('no mail today')
    },
    rejects: () => Promise.reject(new Error('no mail today')),
    hangs: () => new Promise((resolve) => void hanging.push(resolve)),
  })) {
    it(`gets the same answer where the mailer ${what}`, async () => {
      const given = lostHost()
      const mail = { from: 'Acme <no-reply@acme.example>', transport: { sendMail } }
      const host = makeHost({ ...given.options, options: { ...given.options.options, mail } })
      await enrol(host, member)
      const browser = await pendingBrowser(host, member)
      const answers = []
      for (const email of [member.email, 'eve@evil.example', member.email]) {
        answers.push(shown(await postJson(browser, LOST, { email })))
      }
      expect(answers[1]).to.deep.equal(answers[0])
      expect(answers[2]).to.deep.equal(answers[0])
    })
  }

  it('cannot tell right addresses from wrong ones by the time of 200 answers each', async function () {
    this.timeout(60_000)
    const host = spawn(process.execPath, [...NODE_ARGUMENTS, MAILING_HOST], {
      env: { ...process.env, USERS: '200' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      const url = `http://127.0.0.1:${await portOf(host)}`
      const times: Record<'right' | 'wrong', number[]> = { right: [], wrong: [] }
      for (let index = 0; index < 200; index += 1) {
        const visitor = new Visitor(url)
        const username = `user-${index}`
        await visitor.postJson('/login', { username, password: 'password' })
        const asks = [
          ['right', `${username}@acme.example`],
          ['wrong', `eve-${index}@acme.example`],
        ] as const
        // Either comes first as often: what the one before set going is no sign of the next.
        for (const [which, email] of index % 2 === 0 ? asks : [...asks].reverse()) {
          const start = performance.now()
          const { status } = await visitor.postJson(LOST, { email })
          times[which].push(performance.now() - start)
          expect(status).to.equal(202)
        }
      }
      await mailsOf(url, 200)
      expect(longer(times.right, times.wrong)).to.be.within(0.35, 0.65)
    } finally {
      const end = once(host, 'exit')
      host.kill('SIGKILL')
      await end
    }
  })
})

async function portOf({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('the host says nothing')
  let said = ''
  for await (const chunk of stdout) {
    said += chunk
    const port = /^listening: (\d+)$/m.exec(said)?.[1]
    if (port !== undefined) return port
  }
  throw new Error('the host ended before it listened')
}

/** Every right address has had its mail: otherwise nothing was compared. */
async function mailsOf(url: string, count: number): Promise<void> {
  const visitor = new Visitor(url)
  for (let look = 0; look < 1000; look += 1) {
    const { body } = await visitor.getJson('/test/mails')
    if (body.status === count) return
  }
  throw new Error(`there are fewer than ${count} mails`)
}
