import { expect } from 'chai'
import type { Actor, SecondStepEvent } from '../../lib/domain/event.js'
import type { AnnouncedEvent, Mailer, Users } from '../../lib/index.js'
import { memoryCounters } from '../../lib/limits/memory-counters.js'
import { type Account, Accounts } from '../../lib/service/accounts.js'
import { Announcer, NO_REQUEST, type RequestInfo } from '../../lib/service/announcer.js'
import type { FindMailedDevices } from '../../lib/service/mailed-devices.js'
import { Mails } from '../../lib/service/mails.js'
import { WarningMails } from '../../lib/service/warning-mails.js'
import { ejsMails } from '../../lib/text/mails.js'
import { loadMessages } from '../../lib/text/messages.js'
import { ejsViews } from '../../lib/text/views.js'
import { accountOf } from '../support/accounts.js'
import { type MovedSystem, movedSystem } from '../support/clock.js'
import { type MailServer, startMailServer } from '../support/mail-server.js'

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const AT_HOME: RequestInfo = { ip: '192.0.2.7', userAgent: FIREFOX, languages: ['en'] }
const RESET: SecondStepEvent = { type: 'reset', method: null }
const USED_UP: SecondStepEvent = { type: 'pending-login-used-up', method: null }

/** What the host tells of a user. */
type Told = { readonly id: string } & Partial<Account>

const ann: Told = { id: 'ann', email: 'ann@acme.example' }

interface World {
  readonly announcer: Announcer
  readonly failures: readonly AnnouncedEvent<'mail-failed'>[]
  readonly mails: Mails
  readonly system: MovedSystem
  tell(event: SecondStepEvent, requestInfo?: RequestInfo): Promise<void>
}

let server: MailServer

function world(given: {
  user?: Partial<Told>
  findById?: Users<Told>['findById']
  sendMail?: Mailer['sendMail']
  patience?: number
  issuer?: string
  nameAdmins?: boolean
  findDevices?: FindMailedDevices
}): World {
  const system = movedSystem()
  const announcer = new Announcer(system)
  const failures: AnnouncedEvent<'mail-failed'>[] = []
  announcer.events.on('mail-failed', (event) => failures.push(event))
  const mails = new Mails({
    announcer,
    counters: memoryCounters(),
    accounts: new Accounts<Told>({
      users: { findById: given.findById ?? (async () => ({ ...ann, ...given.user })) },
      describe: (told) => ({ ...accountOf(told), user: told }),
      glimpse: () => ({ id: null, name: null }),
      hostIdOf: (id) => id,
      timeout: 150,
    }),
    mailer: given.sendMail === undefined ? server.transport : { sendMail: given.sendMail },
    from: 'Acme <no-reply@acme.example>',
    writeTold: () => ({ subject: '', text: '', html: '' }),
    write: ejsMails(ejsViews(), {
      messages: loadMessages(),
      issuer: given.issuer ?? 'Acme',
      origin: 'https://acme.example',
      paths: { secondStep: '/second-step' },
    }),
    findDevices:
      given.findDevices ??
      (async () => {
        const known = { locked: false, keys: false, backupCodes: true, asked: true }
        return { source: 'app', count: 1, ...known }
      }),
    patience: given.patience ?? 5000,
    nameAdmins: given.nameAdmins ?? false,
  })
  const tell = async (event: SecondStepEvent, requestInfo = AT_HOME) => {
    announcer.announce('ann', [event], requestInfo)
    await mails.settled()
  }
  return { announcer, failures, mails, system, tell }
}

describe('a mail about the second step', () => {
  before(async () => {
    server = await startMailServer()
  })
  after(() => server.stop())
  const last = () => {
    const mail = server.mails.at(-1)
    if (mail === undefined) throw new Error('there is no mail')
    return mail
  }

  it('says what happened, when, from where, in which browser, and what to do', async () => {
    await world({}).tell(RESET)
    const { from, to, subject, text = '', html = '' } = last()
    expect(from).to.deep.equal({ name: 'Acme', address: 'no-reply@acme.example' })
    expect(to).to.deep.equal([{ name: '', address: 'ann@acme.example' }])
    expect(subject).to.equal('Acme: Your second step was reset')
    for (const body of [text, html]) {
      expect(body).to.match(/January 5, 2026 at 12:00\sPM \(UTC\)/)
      expect(body).to.contain('192.0.2.7').and.contain('Firefox on Linux')
      expect(body).to.contain('If this wasn’t you').and.contain('Change your password now')
      expect(body).to.contain('https://acme.example/second-step/')
    }
    expect(html).to.match(/^<!doctype html>\s*<html lang="en" dir="ltr">/)
    expect(html).to.contain('href="https://acme.example/second-step/"')
  })

  it('is marked as automatic, so that nobody’s holiday notice answers it', async () => {
    await world({}).tell(RESET)
    const header = last().headers.find(({ key }) => key === 'auto-submitted')
    expect(header?.value).to.equal('auto-generated')
  })

  it('is in the user’s own language, else in that of the request, else in English', async () => {
    const langOf = async (locale: string | null, languages: readonly string[]) => {
      await world({ user: { locale } }).tell(RESET, { ...AT_HOME, languages })
      return /<html lang="(\w+)"/.exec(last().html ?? '')?.[1]
    }
    expect(await langOf('it', ['es', 'en'])).to.equal('it')
    expect(await langOf('it_IT', ['es', 'en'])).to.equal('it')
    expect(await langOf(null, ['es', 'en'])).to.equal('es')
    expect(await langOf('tlh', ['ru'])).to.equal('ru')
    expect(await langOf(null, [])).to.equal('en')
  })

  it('is not in the language of somebody else who did it', async () => {
    const byAdmin = { ...AT_HOME, languages: ['ru'], actor: { kind: 'admin', id: 'bob' } as const }
    await world({}).tell(RESET, byAdmin)
    expect(last().html).to.contain('<html lang="en"')
  })

  it('asks about a set-up with the user’s roles, which say whether anything is asked for', async () => {
    const subject = { roles: ['staff'], createdAt: null, privileged: false }
    const roles: unknown[] = []
    const known = {
      source: 'app',
      count: 1,
      locked: false,
      keys: false,
      backupCodes: true,
    } as const
    const findDevices: FindMailedDevices = async (_, given) => {
      roles.push(given.roles)
      return { ...known, asked: false }
    }
    await world({ findDevices, user: { subject } }).tell({
      type: 'enrolled',
      method: 'totp',
    })
    expect(roles).to.deep.equal([['staff']])
    expect(last().subject).to.equal('Acme: Second step set up')
    const byAdmin = { ...AT_HOME, actor: { kind: 'admin', id: 'root' } } as const
    await world({ findDevices }).tell({ type: 'reset', method: null }, byAdmin)
    expect(last().text).to.contain('doesn’t ask for a second step at the moment')
  })

  it('says how many backup codes are left, and in the same mail that they are few', async () => {
    const textWith = async (backupCodesLeft: number) => {
      const detail = { backupCodesLeft }
      await world({}).tell({ type: 'backup-code-used', method: 'backup-code', detail })
      return last().text
    }
    expect(await textWith(7))
      .to.contain('You have 7 codes left.')
      .and.not.contain('not many')
    expect(await textWith(3))
      .to.contain('You have 3 codes left.')
      .and.contain('not many')
    expect(await textWith(1))
      .to.contain('You have one code left.')
      .and.contain('not many')
    expect(await textWith(0))
      .to.contain('your last one')
      .and.not.contain('not many')
    const before = server.mails.length
    const detail = { backupCodesLeft: 3 }
    await world({}).tell({ type: 'backup-codes-low', method: 'backup-code', detail })
    expect(server.mails).to.have.length(before)
  })

  it('says until when the authenticator is locked', async () => {
    const detail = { until: new Date(Date.UTC(2026, 0, 6, 9, 30)) }
    await world({}).tell({ type: 'authenticator-locked', method: 'totp', detail })
    expect(last().text).to.match(/January 6, 2026 at 9:30\sAM \(UTC\)/)
  })

  it('says that it does not know where that is so', async () => {
    await world({}).tell(RESET, { ip: null, userAgent: null })
    expect(last().text).to.contain('IP address: unknown').and.contain('Browser: unknown')
  })

  it('is not sent to an unknown user, or to one without an address', async () => {
    const before = server.mails.length
    for (const found of [null, undefined, false, { ...ann, email: null }] as const) {
      const { tell, failures } = world({ findById: async () => found })
      await tell(RESET)
      expect(failures).to.deep.equal([])
    }
    expect(server.mails).to.have.length(before)
  })

  it('is sent for what changes the second step, and not for every code', async () => {
    const before = server.mails.length
    const { tell } = world({})
    const unsaid = ['code-accepted', 'wrong-code', 'logged-out', 'backup-codes-saved'] as const
    for (const type of unsaid) await tell({ type, method: null })
    expect(server.mails).to.have.length(before)
  })
})

// Somebody who knows the password, and no code, starts login after login to fill the owner's mailbox.
describe('the mail about a right password with wrong codes', () => {
  it('goes out once a day for each user and kind, and the next tells how many were held back', async () => {
    const sent: string[] = []
    const { announcer, mails } = world({
      sendMail: async ({ subject, text }) => void sent.push(`${subject}\n${text}`),
    })
    const detail = { until: new Date(1_800_000_000_000) }
    const locked: SecondStepEvent = { type: 'authenticator-locked', method: null, detail }
    for (let lock = 0; lock < 16; lock += 1) {
      announcer.announce('ann', [locked, USED_UP], AT_HOME)
      await mails.settled()
    }
    expect(sent).to.have.length(2)
    for (const mail of sent) expect(mail).not.to.contain('more times')
  })

  it('counts what it holds back, for the next', async () => {
    const counters = memoryCounters()
    const sent = { taken: true, left: 0, retryAfter: 0 }
    const days = [true, false, false, false, true, true]
    const warnings = new WarningMails({
      counter: (name, seconds) =>
        name === 'warning-mails'
          ? {
              take: async () => ({ ...sent, taken: days.shift() === true }),
              giveBack: async () => undefined,
              taken: async () => 0,
            }
          : counters.counter(name, seconds),
    })
    const due = [...days].map(() => () => warnings.due('authenticator-locked', 'ann'))
    const told: (number | null)[] = []
    for (const next of due) told.push(await next())
    expect(told).to.deep.equal([0, null, null, null, 3, 0])
  })

  it('goes out once for many at the same time', async () => {
    const sent: string[] = []
    const findById = async (id: string) => ({ ...ann, id, email: `${id}@acme.example` })
    const { announcer, mails } = world({
      findById,
      sendMail: async ({ to }) => {
        sent.push(to)
      },
    })
    for (let login = 0; login < 20; login += 1) announcer.announce('ann', [USED_UP], AT_HOME)
    announcer.announce('bob', [USED_UP], AT_HOME)
    await mails.settled()
    expect(sent).to.deep.equal(['ann@acme.example', 'bob@acme.example'])
  })
})

describe('a warning that was not taken', () => {
  it('does not use up the day: the next one goes out, and tells of it', async () => {
    const sent: string[] = []
    let away = true
    const { tell } = world({
      sendMail: async ({ text }) => {
        if (away) throw new Error('away')
        sent.push(text)
      },
    })
    await tell(USED_UP)
    await tell(USED_UP)
    expect(sent).to.deep.equal([])
    away = false
    await tell(USED_UP)
    await tell(USED_UP)
    expect(sent).to.have.length(1)
    expect(sent[0]).to.include('It happened 2 more times')
  })
})

describe('a mail that fails', () => {
  const failing = Object.assign(new Error('535 hunter2 is wrong'), { code: 'EAUTH' })

  it('is an event that says where, and with which kind of error, but not its message', async () => {
    const { tell, failures } = world({ sendMail: () => Promise.reject(failing) })
    await tell(RESET)
    expect(failures).to.have.length(1)
    expect(failures[0]).to.deep.include({
      type: 'mail-failed',
      user: 'ann',
      actor: { kind: 'system', id: null },
      detail: { mail: 'reset', part: 'transport', error: 'Error EAUTH' },
    })
    expect(JSON.stringify(failures)).not.to.contain('hunter2')
  })

  it('is one also where the mailer or the users store throws at once', async () => {
    const thrown = () => {
      throw failing
    }
    for (const given of [{ sendMail: thrown }, { findById: thrown }]) {
      const { tell, failures } = world(given)
      await tell(RESET)
      expect(failures.map(({ detail }) => detail.error)).to.deep.equal(['Error EAUTH'])
    }
  })

  it('is one where the mailer hangs, and the next mail goes out meanwhile', async () => {
    const sent: string[] = []
    let hangs = true
    const { announcer, failures, mails } = world({
      patience: 20,
      sendMail: async ({ subject }) => {
        if (hangs) {
          hangs = false
          await new Promise(() => undefined)
        }
        sent.push(subject)
      },
    })
    announcer.announce('ann', [RESET, { type: 'disabled', method: null }], AT_HOME)
    await mails.settled()
    expect(sent).to.deep.equal(['Acme: Your second step is off'])
    expect(failures.map(({ detail }) => detail)).to.deep.equal([
      { mail: 'reset', part: 'transport', error: 'Error ETIMEDOUT' },
    ])
  })

  it('is one where the users store hangs', async () => {
    const { tell, failures } = world({ findById: () => new Promise(() => undefined) })
    await tell(RESET)
    expect(failures[0]?.detail).to.include({ part: 'users', error: 'Error ETIMEDOUT' })
  })

  it('is one where the users store answers with somebody else', async () => {
    const { tell, failures } = world({ user: { id: 'bob' } })
    await tell(RESET)
    expect(failures[0]?.detail).to.include({ part: 'users' })
  })
})

// A name or an address of the user's, or a header of the visitor's, tries to add headers or
// recipients to a mail (GitLab CVE-2023-7028: a list of addresses where one was meant).
describe('text in mails that users and visitors can choose', () => {
  before(async () => {
    server = await startMailServer()
  })
  after(() => server.stop())

  const addresses = [
    'ann@acme.example\r\nBcc: eve@evil.example',
    'ann@acme.example, eve@evil.example',
    'ann@acme.example;eve@evil.example',
    'ann@acme.example eve@evil.example',
    '"ann@acme.example" <eve@evil.example>',
    'group: ann@acme.example, eve@evil.example;',
    'ann@acme.example@evil.example',
    'ann\u0000@acme.example',
    'ann\u202e@acme.example',
    'ann',
    `${'a'.repeat(5000)}@acme.example`,
  ]
  for (const email of addresses) {
    it(`sends nothing to what is not one address: ${JSON.stringify(email.slice(0, 50))}`, async () => {
      const { tell, failures } = world({ user: { email } })
      await tell(RESET)
      expect(failures.map(({ detail }) => detail.part)).to.deep.equal(['address'])
      expect(server.mails).to.deep.equal([])
    })
  }

  it('adds no header and no recipient, and no text of the visitor’s', async () => {
    const injected = 'Firefox/1\r\nBcc: eve@evil.example\r\n\r\n<b>click http://evil.example</b>'
    const issuer = 'Acme\r\nBcc: eve@evil.example <script>'
    const { tell } = world({ issuer })
    await tell(RESET, { ip: '192.0.2.7', userAgent: injected, languages: ['en\r\nX: y'] })
    const [mail] = await server.received(1)
    expect(mail?.recipients).to.deep.equal(['ann@acme.example'])
    expect(mail?.bcc ?? []).to.deep.equal([])
    expect(mail?.raw.split('\r\n\r\n')[0]).not.to.match(/^(bcc|x):/im)
    expect(mail?.subject).to.contain('Acme Bcc: eve@evil.example <script>')
    expect(`${mail?.text}${mail?.html}`).not.to.contain('http://evil.example')
    expect(mail?.html).not.to.contain('<script>')
    expect(mail?.text).to.contain('Browser: Firefox')
  })
})

describe('A mail about what an admin did', () => {
  before(async () => {
    server = await startMailServer()
  })
  after(() => server.stop())
  const ADMIN: Actor = { kind: 'admin', id: 'the-admin' }
  const root = { id: 'the-admin', email: 'root@acme.example', locale: 'ru', name: 'Root Person' }
  const people = async (id: string) => (id === 'the-admin' ? root : ann)
  const byAdmin: RequestInfo = { ...AT_HOME, actor: ADMIN, reason: 'a reason', languages: ['ru'] }
  const textAfter = async (requestInfo: RequestInfo, given: Parameters<typeof world>[0] = {}) => {
    const before = server.mails.length
    await world({ findById: people, ...given }).tell(RESET, requestInfo)
    expect(server.mails).to.have.length(before + 1)
    const { text = '', html = '', headers } = server.mails.at(-1) ?? {}
    return [text, html, JSON.stringify(headers)].join('\n')
  }

  it('gives the admin’s reason, but not their name, address and browser, and is not in their language', async () => {
    const people: readonly [string, Actor][] = [
      ['An admin', ADMIN],
      ['The operator', { kind: 'operator', id: null }],
    ]
    for (const [who, actor] of people) {
      const mail = await textAfter({ ...byAdmin, actor })
      expect(mail).to.contain(`${who} of Acme has reset your second step`)
      expect(mail).not.to.match(/the-admin|Root|192\.0\.2\.7|Firefox/)
      expect(mail).to.contain('Reason: a reason')
    }
  })

  it('names the admin if the host allows it', async () => {
    expect(await textAfter(byAdmin, { nameAdmins: true })).to.contain('By: Root Person')
  })

  it('has no line for a reason if the admin gave none', async () => {
    expect(await textAfter({ ...byAdmin, reason: null })).to.not.contain('Reason')
  })

  it('keeps a reason of many lines on one', async () => {
    // Whoever types line breaks into a reason would write paragraphs of the product's own mail.
    const reason = 'lost\r\n\r\nSign in at https://evil.example\u2028now'
    await textAfter({ ...byAdmin, reason })
    const lines = (server.mails.at(-1)?.text ?? '').split(/\r?\n/)
    expect(lines).to.include('Reason: lost Sign in at https://evil.example now')
  })

  it('keeps the admin’s name on one line, so that it adds no other fact', async () => {
    // An admin whose name has line breaks could write their own text into the product's mail.
    const name = 'Root\r\n\r\nSign in at https://evil.example\u2028now\u0085here\u001b[2J\u0000!'
    const findById = async (id: string) => (id === 'the-admin' ? { ...root, name } : ann)
    await textAfter(byAdmin, { nameAdmins: true, findById })
    const line = 'By: Root Sign in at https://evil.example now here [2J !'
    const named = server.mails.at(-1)?.text ?? ''
    expect(named.split(/\r?\n/)).to.include(line)
    expect(named).to.not.match(/[^\P{Cc}\n]|\p{Zl}|\p{Zp}/u)
    await textAfter({ ip: '192.0.2.1\nSign in at https://evil.example', userAgent: null })
    expect(server.mails.at(-1)?.text).to.include('192.0.2.1 Sign in at')
  })

  it('goes out without the name if the name is unavailable', async () => {
    const findById = async (id: string) => {
      if (id === 'the-admin') throw new Error('the user store is away')
      return ann
    }
    const mail = await textAfter(byAdmin, { nameAdmins: true, findById })
    expect(mail).to.contain('has reset your second step').and.not.contain('By:')
  })

  it('is sent for each change by an admin, but not when the host ends sessions', async () => {
    const before = server.mails.length
    const { tell } = world({ findById: people })
    const until = new Date(Date.UTC(2027, 0, 1))
    const plain = ['disabled', 'resumed', 'reset', 'backup-codes-made', 'unlocked'] as const
    const changes: readonly SecondStepEvent[] = [
      ...plain.map((type) => ({ type, method: null })),
      { type: 'sessions-ended', method: null },
      { type: 'paused', method: null, detail: { until } },
      { type: 'one-time-code-made', method: null, detail: { expiresAt: until } },
    ]
    for (const change of changes) await tell(change, byAdmin)
    expect(server.mails).to.have.length(before + changes.length)
    await tell({ type: 'sessions-ended', method: null }, NO_REQUEST)
    expect(server.mails).to.have.length(before + changes.length)
  })
})
