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

/** What is made of a user of the host's. */
function described(user: object, describe?: Describe) {
  const options: SecondStepOptions<Record<string, unknown>> = {
    issuer: 'Acme',
    origin: 'https://acme.example',
    keys: [],
    store: memoryStore(),
    ...(describe === undefined ? {} : { describe }),
  }
  return checkOptions(options).describe(user as Express.User)
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
