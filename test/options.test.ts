import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { createSecondStep, errors, memoryStore, type SecondStepOptions } from '../lib/index.js'
import { EXAMPLE_KEY } from '../lib/keys/read-keys.js'
import { warningsDuring } from './support/warnings.js'

const key = randomBytes(32).toString('base64')

/** The least that a host can give, with some of it changed. */
function create(change: object = {}) {
  const least = {
    issuer: 'Acme',
    origin: 'https://acme.example',
    keys: [key],
    store: memoryStore(),
  }
  return createSecondStep({ ...least, ...change } as SecondStepOptions)
}

function refusalOf(make: () => unknown): string {
  try {
    make()
  } catch (error) {
    expect(error).to.be.instanceOf(errors.ConfigurationError)
    return (error as Error).message
  }
  throw new Error('the options were accepted')
}

const store = memoryStore()
const { find: _, ...withoutFind } = store

/** By option: values that are none of its kind, and what the refusal says. */
const illTyped: Record<string, { values: readonly unknown[]; says: string }> = {
  issuer: { values: [undefined, null, '', '  ', 5, ['Acme']], says: "must be the app's name" },
  origin: {
    values: [
      undefined,
      null,
      5,
      '',
      'acme.example',
      '//acme.example',
      'https://acme.example/',
      'https://acme.example/app',
      'https://*.acme.example',
      'https://user@acme.example',
      'https://acme.example?x',
      'https://ACME.example',
      'https://acme.example:443',
      'ftp://acme.example',
      'null',
      '*',
    ],
    says: 'must be an origin such as https://acme.example',
  },
  origins: { values: [null, 'https://b.example', {}, 5], says: 'must be a list of origins' },
  keys: { values: [undefined, null, {}], says: 'keygen' },
  store: {
    values: [undefined, null, 'redis', {}, withoutFind, () => undefined],
    says: 'must be a record store: redisStore(redis), knexStore(db), memoryStore() or your own',
  },
  counters: { values: [null, true, {}, { take: () => null }], says: 'knexCounters(db)' },
  redis: { values: [null, true, 'redis://127.0.0.1', {}, { status: 'ready' }], says: 'ioredis' },
  paths: { values: [null, '/second-step', 5, []], says: 'must be an object' },
  passports: {
    values: [null, {}, [], [{}], 'passport', [null]],
    says: 'must be a list of Passport',
  },
  describe: { values: [null, 'id', {}], says: 'must be a function' },
  canAdminister: { values: [null, true, 'admin', {}], says: 'must be a function' },
  realm: {
    values: [null, '', 'Staff', 'a:b', 'a b', 5, 'a'.repeat(33)],
    says: 'lower-case letters',
  },
  totp: { values: [null, 6, 'sha1', []], says: 'must be an object' },
  authenticators: {
    values: [null, [], 'totp', ['totp', 'totp'], ['u2f'], ['totp', 5], [['totp']], {}],
    says: "must be a list of totp, hotp, webauthn, such as ['totp']",
  },
  backupCodes: { values: [null, 0, 'false', 10], says: 'must be true or false' },
  ipLimit: {
    values: [null, 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '100', true],
    says: 'must be a whole number above 0, false or a function',
  },
  ignoreForwardedFor: { values: [null, 0, 'true', 1], says: 'must be true or false' },
  keepInSession: {
    values: [null, 'basket', [''], [5], {}],
    says: 'must be a list of session keys',
  },
  onPending: { values: [null, true, '/challenge'], says: 'must be a function' },
  formFields: { values: [null, {}, '_csrf'], says: 'must be a function' },
  language: { values: [null, 'it', {}], says: 'must be a function' },
  users: { values: [null, {}, [], () => null, { findById: 'id' }], says: 'findById(id)' },
  mail: { values: [null, 'smtp://mail.example', 5, []], says: 'must be an object' },
  views: { values: [null, '', 5, ['views']], says: 'must be the path of a folder' },
  render: { values: [null, {}, 'ejs'], says: 'must be a function' },
  messages: { values: [null, 'de', 5, []], says: 'must be an object' },
  revocation: { values: [null, true, 'strict', '1s', 1000], says: "{ within: '1s' }" },
  trustedBrowsers: { values: [null, true, 14, '14 days'], says: '{ days: 14 }, or false' },
  timeout: {
    values: [null, 0, 49, 30_001, -1, 150.5, Number.NaN, Number.POSITIVE_INFINITY, '1000', true],
    says: 'must be a whole number of milliseconds, 50 to 30000',
  },
  telemetry: { values: [null, {}, { metrics: {} }, true], says: '@opentelemetry/api' },
  system: { values: [null, {}, { now: Date.now }, Date.now], says: 'now() and random(size)' },
}

/** The same inside of the options that are objects. */
const illTypedWithin: Record<string, Record<string, readonly unknown[]>> = {
  paths: {
    secondStep: [null, '', '/', 'second-step', '/a/', '/a//b', '//evil.example', '/a?b', '/a b', 5],
    admin: [null, '/', 'https://acme.example/admin', '/admin/'],
    signIn: [null, '', 'login', '//evil.example', '/\\evil.example', 'https://evil.example'],
    signedIn: [null, '', 'home', '//evil.example', '/\\evil.example'],
  },
  totp: {
    algorithm: [null, 'SHA1', 'md5', 1],
    digits: [null, 5, 9, '6', 6.5],
    period: [null, 14, 121, 30.5, '30', Number.NaN],
    window: [null, -1, 3, 0.5, '1', true],
  },
  trustedBrowsers: { days: [null, 0, 15, 1.5, '14', true, -1, Number.NaN] },
  revocation: {
    within: [
      ...[undefined, null, true, '', 's', '1', '1 s', '1h', '1.5s', '-1s', '99ms', '61s', '2m'],
      ...[0, 99, 60_001, 100.5, Number.NaN, Number.POSITIVE_INFINITY, '1e3ms', ['1s'], {}],
    ],
  },
}

describe('trusted browsers', () => {
  const at = (origin: string) => () => create({ origin, trustedBrowsers: {} })

  it('need https, or this machine', () => {
    for (const origin of ['https://acme.example', 'http://localhost:3000', 'http://[::1]:3000']) {
      expect(at(origin), origin).to.not.throw()
    }
    for (const origin of ['http://acme.example', 'http://localhost.acme.example']) {
      expect(refusalOf(at(origin))).to.include('`trustedBrowsers` need an `origin` of https')
    }
  })
})

describe('createSecondStep', () => {
  it('says what it needs when it is given nothing', () => {
    const given = [undefined, null, 5, 'https://acme.example'] as unknown as SecondStepOptions[]
    for (const options of given) {
      expect(refusalOf(() => createSecondStep(options))).to.include('needs its options')
    }
    expect(refusalOf(() => createSecondStep({} as SecondStepOptions))).to.include('`issuer`')
  })

  it('takes undefined for an option that may be left out', () => {
    const needed = ['issuer', 'origin', 'keys', 'store']
    for (const name of Object.keys(illTyped).filter((option) => !needed.includes(option))) {
      expect(() => create({ [name]: undefined }), name).to.not.throw()
    }
    expect(() => create({ paths: {}, totp: {}, origins: [], messages: {} })).to.not.throw()
  })

  for (const [name, { values, says }] of Object.entries(illTyped)) {
    it(`refuses a wrong \`${name}\`, naming it and the fix`, () => {
      for (const value of values) {
        const refusal = refusalOf(() => create({ [name]: value }))
        expect(refusal, String(value)).to.include(name).and.to.include(says)
      }
    })
  }

  for (const [option, members] of Object.entries(illTypedWithin)) {
    for (const [name, values] of Object.entries(members)) {
      it(`refuses a wrong \`${option}.${name}\`, naming it`, () => {
        for (const value of values) {
          const refusal = refusalOf(() => create({ [option]: { [name]: value } }))
          expect(refusal, String(value)).to.include(`\`${option}.${name}\` must be`)
        }
      })
    }
  }

  it('names the one that is wrong in a list', () => {
    const origins = ['https://b.example', 'b.example']
    expect(refusalOf(() => create({ origins }))).to.include('`origins[1]`')
    const short = randomBytes(16).toString('base64')
    expect(refusalOf(() => create({ keys: [key, short] }))).to.include('keys[1] has 16 bytes')
  })

  it('says of one key without a list that it needs brackets, and not that it needs another key', () => {
    const refusal = refusalOf(() => create({ keys: key }))
    expect(refusal).to.include('keys: [process.env.SECOND_STEP_KEY]')
    expect(refusal).to.not.include('keygen').and.not.include(key)
  })

  it('refuses keys that are none, and never shows one', () => {
    const wrong: Record<string, unknown> = {
      'is missing': undefined,
      'is empty': [],
      'is not base64': 'a key!',
      'not random': Buffer.alloc(32).toString('base64'),
      'README’s example': EXAMPLE_KEY,
    }
    for (const [name, value] of Object.entries(wrong)) {
      const keys = Array.isArray(value) ? value : [value]
      const refusal = refusalOf(() => create({ keys }))
      expect(refusal, name).to.include('npx passport-second-step keygen')
      if (typeof value === 'string') expect(refusal).to.not.include(value)
    }
  })

  it('refuses a first key that somebody has typed, with an end of line too', () => {
    const lines = ['The quick brown fox jumps over.\n', 'a key of\r\nmine\tand nobody elses!']
    const counting = Buffer.from(Array.from({ length: 32 }, (_, index) => index))
    const downwards = Buffer.from(Array.from({ length: 32 }, (_, index) => 255 - 7 * index))
    for (const bytes of [...lines.map((line) => Buffer.from(line)), counting, downwards]) {
      expect(bytes.length).to.equal(32)
      const keys = [bytes.toString('base64')]
      expect(refusalOf(() => create({ keys })))
        .to.include('keys[0]')
        .and.include('random bytes')
    }
  })

  it('refuses folders that browsers write in another way', () => {
    for (const [name, path, written] of [
      ['secondStep', '/sécurité', '/s%C3%A9curit%C3%A9'],
      ['admin', '/a/../admin', '/admin'],
    ] as const) {
      const refusal = refusalOf(() => create({ paths: { [name]: path } }))
      expect(refusal).to.include(`\`paths.${name}\``).and.include(written)
    }
    expect(() => create({ paths: { secondStep: '/s%C3%A9curit%C3%A9' } })).not.to.throw()
  })

  // A sign-in page there is a 404 of the router's, and whoever is sent to sign in goes round in a circle.
  it('refuses a sign-in page among the pages of the second step', () => {
    for (const signIn of ['/second-step', '/Second-Step/login', '/second-step?from=app']) {
      const refusal = refusalOf(() => create({ paths: { signIn } }))
      expect(refusal).to.include('`paths.signIn`').and.include(signIn)
    }
    const fine = { secondStep: '/app/mfa', signIn: '/app/mfa-login', signedIn: '/app/mfa/' }
    expect(() => create({ paths: fine })).not.to.throw()
  })

  // Its pages would all be 404: the user router answers first, whatever lies in its folder.
  it('refuses an admin router in the folder of the user router', () => {
    const users = { findById: async () => null }
    for (const admin of ['/mfa', '/MFA', '/mfa/admin']) {
      const made = create({ paths: { secondStep: '/mfa', admin }, users })
      const refusal = refusalOf(() => made.adminRouter())
      expect(refusal).to.include(`\`paths.admin\` (${admin})`).and.include('(/mfa)')
    }
    const moved = create({ paths: { secondStep: '/admin/second-step' }, users })
    expect(() => moved.router()).not.to.throw()
    expect(refusalOf(() => moved.adminRouter())).to.include('`paths.admin`')
    const beside = create({ paths: { secondStep: '/mfa', admin: '/mfa-admin' }, users })
    expect(() => beside.adminRouter()).not.to.throw()
  })

  it('refuses an option that it does not know, and says which is meant', () => {
    const near: Record<string, string> = {
      iplimit: 'ipLimit',
      backupCode: 'backupCodes',
      key: 'keys',
    }
    for (const [name, meant] of Object.entries(near)) {
      const refusal = refusalOf(() => create({ [name]: 1 }))
      expect(refusal).to.equal(`there is no option \`${name}\`: did you mean ${meant}?`)
    }
    const path = refusalOf(() => create({ paths: { signin: '/login' } }))
    expect(path).to.equal('there is no option `paths.signin`: did you mean signIn?')
    const totp = refusalOf(() => create({ totp: { windows: 1 } }))
    expect(totp).to.equal('there is no option `totp.windows`: did you mean window?')
  })

  it('refuses an unknown option that is near no other, and lists those there are', () => {
    const refusal = refusalOf(() => create({ favouriteColour: 'blue' }))
    expect(refusal).to.include('`favouriteColour`: known are issuer, origin,')
    expect(refusal).to.not.include('did you mean')
  })

  // Nobody waits for them: an async `isAdmin` would make no admin, and say nothing.
  for (const name of ['describe', 'isAdmin', 'formFields', 'language', 'ipLimit']) {
    it(`refuses an async \`${name}\``, () => {
      const refusal = refusalOf(() => create({ [name]: async () => undefined }))
      expect(refusal).to.include(`\`${name}\` must answer at once`)
    })
  }

  // A wait that is misspelt would be none, and the owner would learn of the reset when it is done.
  it('refuses resets by mail that would not be what the host meant', () => {
    const mail = { transport: { sendMail: async () => undefined }, from: 'Acme <a@acme.example>' }
    const withMail = { mail, users: { findById: async () => null } }
    const refusalWith = (lost: unknown, more: object = withMail) =>
      refusalOf(() => create({ lost, ...more }))
    for (const wrong of [true, null, 'off', 24]) {
      expect(refusalWith(wrong)).to.include('`lost` must be false')
    }
    for (const delay of [24, 0, '24', '24 h', '48h', '', null, 'constructor']) {
      expect(refusalWith({ delay })).to.include('`lost.delay` must be one of 0, 24h, 72h')
    }
    expect(refusalWith({ allow: true })).to.include('`lost.allow` must be a function')
    expect(refusalWith({ heldUntil: new Date() })).to.include('`lost.heldUntil` must be')
    expect(refusalWith({ delays: '24h' }))
      .to.include('lost.delays')
      .and.include('delay')
    expect(refusalWith({ delay: '24h' }, {})).to.include('`lost` needs `mail')
    const all = { delay: '72h', allow: () => true, heldUntil: () => null }
    for (const lost of [undefined, false, {}, { delay: '0' }, all]) create({ lost, ...withMail })
    create({ lost: false })
  })

  // A misspelt list of days would be the usual one, or mail nobody.
  it('refuses reminders that would not be what the host meant', () => {
    const mail = { transport: { sendMail: async () => undefined }, from: 'Acme <a@acme.example>' }
    const withMail = { mail, users: { findById: async () => null } }
    const refusalWith = (reminders: unknown, more: object = withMail) =>
      refusalOf(() => create({ reminders, ...more }))
    for (const wrong of [true, null, 'off', 7]) {
      expect(refusalWith(wrong)).to.include('`reminders` must be false')
    }
    for (const days of [7, null, [], ['7'], [0], [21], [1.5], [7, -1]]) {
      expect(refusalWith({ days })).to.include(
        '`reminders.days` must be whole numbers from 1 to 20',
      )
    }
    expect(refusalWith({ day: [7] }))
      .to.include('reminders.day')
      .and.include('days')
    expect(refusalWith({ days: [7] }, {})).to.include('`reminders` need `mail')
    for (const reminders of [undefined, false, {}, { days: [20, 1] }]) {
      create({ reminders, ...withMail })
    }
    create({ reminders: false })
  })

  it('want `users.list` to be a method, where there is one', () => {
    const findById = async () => null
    for (const list of [null, 5, 'name', []]) {
      expect(refusalOf(() => create({ users: { findById, list } }))).to.include('users.list')
    }
    expect(() => create({ users: { findById, list: async () => null } })).to.not.throw()
  })

  it('refuses mails that nobody could send or get', () => {
    const users = { findById: async () => null }
    const transport = { sendMail: async () => undefined }
    const from = 'Acme <no-reply@acme.example>'
    const refusalWith = (mail: object, more: object = { users }) =>
      refusalOf(() => create({ mail, ...more }))
    for (const wrong of [undefined, null, {}, 'smtp://mail.example', { send: () => undefined }]) {
      expect(refusalWith({ transport: wrong, from })).to.include('`mail.transport` must be')
    }
    for (const wrong of [undefined, null, '', 5, 'a@b.example\r\nBcc: eve@evil.example']) {
      expect(refusalWith({ transport, from: wrong })).to.include('`mail.from` must be')
    }
    expect(refusalWith({ transport, from }, {})).to.include('`mail` needs `users')
    expect(refusalWith({ transport, from, form: 1 })).to.include('did you mean from?')
    expect(refusalWith({ transport, from, tellAdmins: 'no' })).to.include('must be true or false')
    expect(() => create({ mail: { transport, from }, users })).to.not.throw()
  })

  it('refuses two places at once for counters', () => {
    const redis = { eval: () => null, evalsha: () => null }
    const both = { redis, counters: { counter: () => null } }
    expect(refusalOf(() => create(both))).to.include('`counters` or `redis`, not both')
  })

  it('refuses two ways at once to make pages', () => {
    const both = { views: 'views', render: () => '' }
    expect(refusalOf(() => create(both))).to.include('`views` or `render`, not both')
  })

  it('warns of texts in a language that nobody asks for', async () => {
    const texts = { 'settings.back': 'X' }
    for (const tag of ['jp', 'english', 'und', 'ruu']) {
      const [said, ...more] = await warningsDuring(
        () => void create({ messages: { [tag]: texts } }),
      )
      expect(said, tag).to.include('`messages.').and.include('there is no language')
      expect(more).to.deep.equal([])
    }
    for (const tag of ['ja', 'de-CH', 'rus', 'tlh', 'qaa', 'en-x-pirate', 'iw']) {
      const said = await warningsDuring(() => void create({ messages: { [tag]: texts } }))
      expect(said, tag).to.deep.equal([])
    }
  })

  it('refuses a folder of views that is none', () => {
    expect(refusalOf(() => create({ views: '/nowhere/at/all' }))).to.include('is no folder')
  })

  it('names the language and the text that are wrong', () => {
    const messages = { de: { 'factor.totp.label': 5 } }
    expect(refusalOf(() => create({ messages }))).to.include('messages.de.factor.totp.label')
  })
})

// The attack: the help desk was given a role that is one of the admins' too, and nobody was told: it resets everybody.
describe('a role of a help desk', () => {
  const users = { findById: async () => null }

  it('is none of admins as well', () => {
    for (const given of [
      { helpDeskRoles: ['support', 'admin'] },
      { helpDeskRoles: ['support'], adminRoles: ['root', 'support'] },
    ]) {
      const both = given.adminRoles === undefined ? 'admin' : 'support'
      const text = refusalOf(() => create({ users, ...given }))
      expect(text).to.include(`\`helpDeskRoles\` and \`adminRoles\` both have ${both}`)
    }
    expect(() => create({ users, helpDeskRoles: ['support'] })).not.to.throw()
  })

  it('is told where it is misspelt: a mail could reset them', async () => {
    const given = { users, roles: ['user', 'admin', 'support'] }
    const text = refusalOf(() => create({ ...given, helpDeskRoles: ['supprot'] }))
    expect(text).to.include('none of `helpDeskRoles` (supprot)')
    const roles = [...given.roles, 'desk']
    const warnings = (helpDeskRoles: readonly string[]) =>
      warningsDuring(() => void create({ ...given, roles, helpDeskRoles }))
    const [said, ...more] = await warnings(['desk', 'supprot'])
    expect(said).to.include('`helpDeskRoles` has supprot').and.include('did you mean support?')
    expect(more).to.deep.equal([])
    for (const fine of [[], ['desk'], ['support', 'supports'], ['desk', 'admins']]) {
      expect(await warnings(fine), fine.join()).to.deep.equal([])
    }
  })
})

describe('a misspelt role of admins', () => {
  it('is told at start-up: it would leave the admins unprotected in silence', () => {
    const users = { findById: async () => null }
    const given = { users, roles: ['user', 'admin'] }
    const text = refusalOf(() => create({ ...given, adminRoles: ['admni'] }))
    expect(text).to.include('`adminRoles` (admni)').and.to.include('`roles` (user,admin)')
    expect(() => create({ ...given, adminRoles: ['root', 'admin'] })).not.to.throw()
    expect(() => create({ ...given, roles: ['user'] })).not.to.throw()
    expect(() => create({ users, adminRoles: ['root'] })).not.to.throw()
  })

  it('is warned of where it is one among right ones, and spelt nearly as a role that is none of them', async () => {
    const users = { findById: async () => null }
    const warnings = (roles: readonly string[], adminRoles: readonly string[]) =>
      warningsDuring(() => void create({ users, roles, adminRoles }))
    const roles = ['user', 'admin', 'support']
    const [said, ...more] = await warnings(roles, ['admin', 'supprot'])
    expect(said).to.include('`adminRoles` has supprot').and.include('did you mean support?')
    expect(more).to.deep.equal([])
    expect(await warnings(['user', 'admin', 'Support'], ['admin', 'Suport'])).to.have.length(1)
    // A role that the policy needs no rules for.
    for (const fine of [
      ['admin', 'root'],
      ['admin', 'super'],
      ['support', 'supports', 'admin'],
    ]) {
      expect(await warnings(roles, fine), fine.join()).to.deep.equal([])
    }
  })

  it('is warned of where it is the default: a mail could reset an ADMIN', async () => {
    const given = { users: { findById: async () => null }, roles: ['USER', 'ADMIN'] }
    const [said, ...more] = await warningsDuring(() => void create(given))
    expect(said).to.include('nobody is an admin').and.to.include('(USER,ADMIN)')
    expect(more).to.deep.equal([])
    const named = { adminRoles: ['ADMIN'] }
    const flagged = { isAdmin: () => false }
    for (const fix of [named, flagged, { roles: ['USER', 'admin'] }]) {
      expect(await warningsDuring(() => void create({ ...given, ...fix }))).to.deep.equal([])
    }
  })
})
