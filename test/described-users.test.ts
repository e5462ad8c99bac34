import { expect } from 'chai'
import { errors, type SecondStepOptions } from '../lib/index.js'
import { checkOptions } from '../lib/options/check-options.js'
import { memoryStore } from '../lib/stores/memory-store.js'
import { postForm } from './support/answers.js'
import { browserOf, enrol, passFirstStep } from './support/browser.js'
import { ann, makeHost } from './support/host.js'
import { lostHost, member } from './support/lost.js'
import { warningsDuring } from './support/warnings.js'

type Describe = SecondStepOptions<Record<string, unknown>>['describe']

const LEAST: SecondStepOptions<Record<string, unknown>> = {
  issuer: 'Acme',
  origin: 'https://acme.example',
  keys: [],
  store: memoryStore(),
}

/** What is made of a user of the host's. */
function described(user: object, describe?: Describe) {
  return checkOptions({ ...LEAST, ...(describe === undefined ? {} : { describe }) }).describe(
    user as Express.User,
  )
}

const FIELDS = { id: '7', email: 'ann@acme.example', name: 'Ann', roles: ['admin'], locale: 'it' }

/** As Mongoose makes them: what was stored is in `_doc`, and the fields are getters of the class. */
class MongooseDocument {
  readonly $__ = {}
  readonly _doc: object = { ...FIELDS, _id: '7', id: undefined }
  get id() {
    return FIELDS.id
  }
  get email() {
    return FIELDS.email
  }
  get name() {
    return FIELDS.name
  }
  get roles() {
    return FIELDS.roles
  }
  get locale() {
    return FIELDS.locale
  }
}

/** As Sequelize makes them. */
class SequelizeInstance {
  readonly dataValues = FIELDS
  get id() {
    return FIELDS.id
  }
  get email() {
    return FIELDS.email
  }
}

describe('a user of the host’s', () => {
  it('is read from the properties that it has, also where its class has them', () => {
    // With none of a document's fields no mail was ever sent, and no admin was one.
    const { id, email, name, locale, subject } = described(new MongooseDocument())
    expect({ id, email, name, locale }).to.deep.equal({
      id: '7',
      email: 'ann@acme.example',
      name: 'Ann',
      locale: 'it',
    })
    expect(subject).to.deep.include({ roles: ['admin'], privileged: true })
    expect(described(new SequelizeInstance()).email).to.equal('ann@acme.example')
  })

  it('may have no address, no name and no roles', () => {
    for (const nothing of [undefined, null, '', '  ']) {
      const { email, name } = described({ id: 7, email: nothing, name: nothing })
      expect([email, name]).to.deep.equal([null, null])
    }
    expect(described({ id: 7, roles: null }).subject.roles).to.deep.equal([])
  })

  // The attack on oneself: with a username that counted as none, each right login kept its place.
  it('is known by a username that is a number, as by the same text', () => {
    for (const username of [4711, 4711n, '4711']) {
      expect(described({ id: 7, username }).username).to.equal('4711')
    }
    for (const nothing of [undefined, null, '', '  ']) {
      expect(described({ id: 7, username: nothing }).username).to.equal(null)
    }
  })

  it('has a name also as a number', () => {
    expect(described({ id: 7, name: 5 }).name).to.equal('5')
  })

  it('gets its mails where the fields are its class’s', async () => {
    const { options, mails } = lostHost()
    const host = makeHost({
      ...options,
      options: {
        ...options.options,
        describe: (user) => (user.id === 'ann' ? documentOf(member) : user),
      },
    })
    await enrol(host, ann)
    await host.secondStep.close()
    expect(mails.map(({ to }) => to)).to.deep.equal([member.email])
  })
})

function documentOf(fields: object) {
  return Object.create(fields)
}

describe('a mistake in what the host tells about its users', () => {
  const wrongly = (told: object, describe?: Describe) => {
    expect(() => described(told, describe)).to.throw(errors.ConfigurationError)
    try {
      described(told, describe)
    } catch (error) {
      return (error as Error).message
    }
    return ''
  }

  // No mail was ever sent, and nobody was told.
  const addresses: Readonly<Record<string, unknown>> = {
    'a list': ['ann@acme.example'],
    'a list of objects': [{ value: 'ann@acme.example' }],
    'an object': { address: 'ann@acme.example', verified: true },
    'a number': 7,
    'true or false': true,
  }
  for (const [name, email] of Object.entries(addresses)) {
    it(`is named: an e-mail address that is ${name}`, () => {
      for (const message of [
        wrongly({ id: 7, email }),
        wrongly({}, () => ({ id: 7, email: email as string })),
      ]) {
        expect(message).to.match(/`email`.*one address as a text.*describe: \(user\) =>/)
        expect(message, 'an address is nobody’s business').to.not.include('acme.example')
      }
    })
  }

  // An admin without a role had days of grace, a reset by mail, and no protection from other admins.
  const roles: Readonly<Record<string, unknown>> = {
    'a text': 'admin',
    'a set': new Set(['admin']),
    'a list of objects': [{ name: 'admin' }],
    'an object': { admin: true },
  }
  for (const [name, value] of Object.entries(roles)) {
    it(`is named: roles that are ${name}`, () => {
      expect(wrongly({ id: 7, roles: value })).to.match(/`roles`.*list of names/)
    })
  }

  // A right login counted as a miss, and who signs in often was locked out.
  const usernames: Readonly<Record<string, unknown>> = {
    'a list': ['annie'],
    'an object': { value: 'annie' },
    'true or false': true,
    'no number at all': Number.NaN,
  }
  for (const [name, username] of Object.entries(usernames)) {
    it(`is named: a username that is ${name}`, () => {
      const message = wrongly({ id: 7, username })
      expect(message).to.match(/`username`.*text or a number.*describe: \(user\) =>/)
      expect(message, 'a name is nobody’s business').to.not.include('annie')
    })
  }

  // The attack: the text of a method is the same for all users, so all of them shared one record. And a buffer's
  // bytes that are no UTF-8 are read alike.
  const ids: Readonly<Record<string, unknown>> = {
    'a method': new MongooseDocument().toString,
    'true or false': true,
    'no number at all': Number('seven'),
    'an infinite number': Number.POSITIVE_INFINITY,
    'a symbol': Symbol('7'),
    'a buffer': Buffer.from([0xff, 0xfe]),
    'a list': ['7'],
    // A populated reference: its text is all its fields, and a change of one would make another user.
    'a document': { toString: () => "{ _id: new ObjectId('65'), logins: 3 }" },
  }
  // The attack: the thief's own app opens the account of another user, whose id became the same text.
  const texts = {
    'a method as a text': String(new MongooseDocument().toString),
    'an arrow function as a text': String(() => 7),
    'bytes that are no UTF-8 as a text': String(Buffer.from([0, 0x80])),
    'no value as a text': `${undefined}`,
    'no number as a text': String(Number('seven')),
  }
  for (const [name, id] of Object.entries(texts)) {
    it(`is named: an id that is ${name}`, () => {
      expect(wrongly({ id })).to.match(/`id` that is .*text or a number.*describe: \(user\) =>/)
    })
  }

  it('is told what is right for the kind of its id, which String() would spoil', () => {
    expect(wrongly({ id: () => 7 })).to.include('id: user.id()')
    expect(wrongly({ id: Buffer.from([0xff]) })).to.include("id: user.id.toString('hex')")
    expect(wrongly({ id: 2 ** 60 })).to.include('as a text from the database')
    for (const id of [() => 7, Buffer.from([0xff]), 2 ** 60, 'NaN', true]) {
      expect(wrongly({ id })).to.not.include('id: String(')
    }
  })

  for (const [name, id] of Object.entries(ids)) {
    it(`is named: an id that is ${name}, which users could share`, () => {
      expect(wrongly({ id })).to.match(/`id` that is .*text or a number.*describe: \(user\) =>/)
    })
  }

  // They are of no use to the lock or the mails, so nobody is kept out. But nobody noticed either.
  const useless: Readonly<Record<string, unknown>> = {
    name: { givenName: 'Ann' },
    locale: ['it'],
    createdAt: { seconds: 1_750_000_000 },
  }
  for (const [field, value] of Object.entries(useless)) {
    it(`is a warning, once: a \`${field}\` that can't be read`, async () => {
      const said = await warningsDuring(() => {
        const { describe: tell } = checkOptions(LEAST)
        for (const id of [7, 8]) tell({ id, [field]: value } as unknown as Express.User)
      })
      expect(said).to.have.length(1)
      expect(said[0]).to.include(`\`${field}\``).and.include('describe: (user) =>')
      expect(said[0]).to.not.include('Ann')
    })
  }

  it('is a warning: a time that is none', async () => {
    const said = await warningsDuring(() => {
      const user = described({ id: 7, createdAt: '26.11.2026' })
      expect(user.subject.createdAt).to.equal(null)
    })
    expect(said.join()).to.include('`createdAt`')
  })

  it('is named: a Mongoose document that was spread, which leaves its fields behind', () => {
    const message =
      /Mongoose document that was spread.*describe: \(doc\) => \(\{ id: doc\.id, email: doc\.email, roles: doc\.roles \}\)/
    expect(wrongly({ ...new MongooseDocument() })).to.match(message)
    expect(wrongly(new MongooseDocument(), (doc) => ({ ...doc, id: doc.id }))).to.match(message)
    const some = (doc: Record<string, unknown>) => ({ ...doc, id: doc.id, email: FIELDS.email })
    expect(wrongly(new MongooseDocument(), some), 'the roles are left behind').to.match(message)
  })

  it('is named: a Sequelize instance that was spread', () => {
    expect(wrongly({ ...new SequelizeInstance() })).to.match(
      /Sequelize instance that was spread.*describe: /,
    )
  })

  it('is none: a document that was spread under all that is needed', () => {
    const user = described(new MongooseDocument(), (doc) => ({ ...doc, ...FIELDS }))
    expect(user.email).to.equal('ann@acme.example')
    const bare = { $__: {}, _doc: { _id: '7' } }
    expect(described(bare, (doc) => ({ ...doc, id: '7' })).id).to.equal('7')
  })

  it('is named: an `_id` and no id', () => {
    expect(wrongly({ _id: '7', email: FIELDS.email })).to.match(/no id.*_id.*id: user\._id/)
    expect(wrongly({ email: FIELDS.email })).to.match(/no id: give `describe/)
  })

  it('is a 500 at the login, which names it, and lets nobody in', async () => {
    const host = makeHost({ users: [{ ...ann, email: ['ann@acme.example'] as unknown as string }] })
    const browser = browserOf(host)
    const { text } = await passFirstStep(browser, ann).expect(500)
    expect(text).to.include('`email`')
    await browser.get('/inside').expect(401)
  })

  it('is a warning where only mails meet it', async () => {
    const { options, users } = lostHost()
    const host = makeHost(options)
    users.set('ann', { ...member, email: [member.email] as unknown as string })
    const said = await warningsDuring(async () => {
      await enrol(host, ann)
      await postForm(browserOf(host), '/logout')
      await host.secondStep.close()
    })
    expect(said.join()).to.include('`email`')
  })
})
