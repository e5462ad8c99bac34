import { expect } from 'chai'
import { acceptedOf, isAccepted } from '../../lib/domain/accepted-methods.js'
import { parsePolicy, parseRecord } from '../../lib/domain/parse-record.js'
import { defaultPolicy, type Policy } from '../../lib/domain/policy.js'
import { blankRecord, type SecondStepRecord } from '../../lib/domain/record.js'
import type { SetupInProgress } from '../../lib/domain/setup.js'
import type { TotpAuthenticator } from '../../lib/factors/totp/kept.js'
import {
  authenticatorWith,
  backupCodeSet,
  KEY_ID,
  NOW,
  PARAMETERS,
  USER,
} from '../support/records.js'

type Path = readonly (string | number)[]

/** A record in which no part is missing. */
function fullRecord(): SecondStepRecord {
  const [used, left] = [
    { digest: 'one', usedAt: NOW },
    { digest: 'two', usedAt: null },
  ]
  return {
    userId: USER,
    version: 3,
    writeId: 'write',
    epoch: 2,
    authenticators: [
      authenticatorWith({ name: 'phone', lastUsedAt: NOW, serial: 'A-17', offset: -1 }),
    ],
    setup: {
      ...PARAMETERS,
      type: 'totp',
      owner: 'login',
      secret: 'sealed',
      startedAt: NOW,
      misses: 1,
      replaces: { id: 'first' },
      policy: 1,
    },
    mustSetUp: { until: NOW },
    backupCodes: { ...backupCodeSet(), codes: [used, left] },
    oneTimeCodes: [
      { id: 'first', keyId: KEY_ID, digest: 'one', expiresAt: NOW, usedAt: NOW },
      { id: 'second', keyId: KEY_ID, digest: 'two', expiresAt: NOW, usedAt: null },
    ],
    setupGrant: { owner: 'login', until: NOW, policy: 1 },
    mailReset: {
      id: 'reset',
      keyId: KEY_ID,
      addressDigest: 'address',
      digests: ['one', 'two'],
      ...{ askedAt: NOW, usableAt: NOW, expiresAt: NOW, readyTold: true },
      ...{ ip: '192.0.2.1', userAgent: 'browser' },
    },
    attempts: { misses: [NOW - 1, NOW], consecutive: 2 },
    lockedUntil: NOW + 1,
    pausedUntil: NOW + 2,
    pausedFrom: NOW,
    ruleStart: NOW,
    passwordChangedAt: NOW,
    ended: [{ id: 'stamp', version: 2 }],
    endedUpTo: 1,
    endedLogins: [{ id: 'pending', until: NOW }],
    usedChallenges: [{ digest: 'one', until: NOW }],
    trustedBrowsers: [
      {
        ...{ id: 'browser', keyId: KEY_ID, digest: 'one', previous: 'two', name: 'Firefox' },
        ...{ rotatedAt: NOW, createdAt: NOW, expiresAt: NOW, policyVersion: 1 },
      },
    ],
  }
}

function pathsOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value)
  const below = keys.flatMap((key) => pathsOf(Reflect.get(value, key), [...path, key]))
  return path.length === 0 ? below : [path, ...below]
}

function holderOf(root: object, path: Path): { holder: object; key: string | number } {
  const key = path.at(-1) ?? ''
  const holder = path.slice(0, -1).reduce<object>((part, step) => Reflect.get(part, step), root)
  return { holder, key }
}

function replaced<T extends object>(root: T, path: Path, value: unknown): T {
  const copy = structuredClone(root)
  const { holder, key } = holderOf(copy, path)
  Reflect.set(holder, key, value)
  return copy
}

function without<T extends object>(root: T, path: Path): T {
  const copy = structuredClone(root)
  const { holder, key } = holderOf(copy, path)
  Reflect.deleteProperty(holder, key)
  return copy
}

const NULL_IS_FINE =
  /^(authenticators\.\d\.(name|lastUsedAt|serial)|setup|mustSetUp|backupCodes|passwordChangedAt|lockedUntil|pausedUntil|ruleStart|endedUpTo|setupGrant|mailReset|mailReset\.(ip|userAgent)|oneTimeCodes\.\d\.usedAt|(backupCodes|mailReset|oneTimeCodes\.\d)\.keyId|updatedAt|updatedBy|updatedBy\.id|requiredSince\.general|backupCodes\.codes\.\d\.usedAt|trustedBrowsers\.\d\.(previous|name))$/
/** What an app's authenticator did not have before; missing, it is read as none. */
const ADDED_LATER =
  /^(authenticators\.\d\.(serial|offset)|setup\.(replaces|policy)|setupGrant\.policy|pausedFrom)$/
const CHOSEN = /(algorithm|digits|type|mode|kind)$/

/** Values that the place of this path must not hold. */
function illTyped(path: Path, present: unknown): readonly unknown[] {
  const name = path.join('.')
  const nothing = NULL_IS_FINE.test(name) ? [undefined] : [undefined, null]
  const always = [...nothing, Symbol('odd'), () => present, Number.NaN]
  const containers = [{}, [], [present], { ...Object(present) }]
  if (present === null) return [...always, ...containers, -1, 1.5, '1', '', true]
  if (Array.isArray(present)) return [...always, {}, '', 1, true, { length: 0 }, [null], [{}], [[]]]
  if (typeof present === 'object') {
    const noObject = [[], {}, 'text', 1, true, new Map(), [present]]
    return [...always, ...noObject]
  }
  if (typeof present === 'boolean') return [...always, ...containers, 'true', 0, 1, '']
  if (typeof present === 'string') {
    const odd = CHOSEN.test(name) ? ['', 'SHA1', 'webauthn', 'md5', ' totp', 'sha1 '] : []
    return [...always, ...containers, ...odd, 1, true, 0]
  }
  const lower = name.endsWith('lastStep') ? [-2] : name.endsWith('offset') ? [-7201, 7201] : [-1]
  const odd = CHOSEN.test(name) ? [5, 9, 0, 6.5] : []
  const never = name.endsWith('period') ? [0] : []
  const numbers = ['1', '', 1.5, Number.POSITIVE_INFINITY, 2 ** 53, 1n, true]
  return [...always, ...containers, ...lower, ...odd, ...never, ...numbers]
}

function show(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function refuses(value: unknown, what: string): void {
  expect(() => parseRecord(value, USER), what).to.throw(
    Error,
    'the stored record of a user cannot be read',
  )
}

describe('reading a stored record', () => {
  it('takes a full one, as it came out of JSON', () => {
    const stored: unknown = JSON.parse(JSON.stringify(fullRecord()))
    expect(parseRecord(stored, USER)).to.deep.equal(fullRecord())
  })

  it('takes a blank one', () => {
    expect(parseRecord(blankRecord(USER), USER)).to.deep.equal(blankRecord(USER))
  })

  it('takes an ended stamp that was renewed, and refuses one that is good from no version', () => {
    const of = (goodFrom: unknown) => ({
      ...fullRecord(),
      ended: [{ id: 'stamp', version: 2, goodFrom }],
    })
    expect(parseRecord(of(3), USER)).to.deep.equal(of(3))
    for (const odd of [null, -1, 1.5, '3', Number.POSITIVE_INFINITY, {}]) {
      refuses(of(odd), `good from ${show(odd)}`)
    }
  })

  it('accepts the limits of the allowed values', () => {
    const edges: readonly (readonly [Path, unknown])[] = [
      [['authenticators'], []],
      [['authenticators', 0, 'name'], null],
      [['authenticators', 0, 'lastUsedAt'], null],
      [['setup'], null],
      [['mustSetUp'], null],
      [['mustSetUp', 'until'], 0],
      [['backupCodes'], null],
      [['backupCodes', 'codes'], []],
      [['backupCodes', 'codes', 0, 'usedAt'], 0],
      [['backupCodes', 'saved'], false],
      [['authenticators', 0, 'lastStep'], -1],
      [['authenticators', 0, 'lastStep'], 0],
      [['authenticators', 0, 'period'], 1],
      [['attempts', 'misses'], []],
      [['ended'], []],
      [['version'], Number.MAX_SAFE_INTEGER],
      ...['sha1', 'sha256', 'sha512'].flatMap((algorithm) => [
        [['authenticators', 0, 'algorithm'], algorithm] as const,
        [['setup', 'algorithm'], algorithm] as const,
      ]),
      ...[6, 7, 8].map((digits) => [['authenticators', 0, 'digits'], digits] as const),
    ]
    for (const [path, value] of edges) {
      const record = replaced(fullRecord(), path, value)
      expect(parseRecord(record, USER), `${path.join('.')} ${value}`).to.deep.equal(record)
    }
  })

  for (const path of pathsOf(fullRecord())) {
    const isField = typeof path.at(-1) === 'string'
    it(`refuses it when ${path.join('.')} is ${isField ? 'missing or ' : ''}ill-typed`, () => {
      // "On and broken", never "off": one lost field must not open the account.
      const isAddedLater = ADDED_LATER.test(path.join('.'))
      if (isField && !isAddedLater) refuses(without(fullRecord(), path), 'missing')
      const { holder, key } = holderOf(fullRecord(), path)
      for (const value of illTyped(path, Reflect.get(holder, key))) {
        refuses(replaced(fullRecord(), path, value), `${path.join('.')} = ${show(value)}`)
      }
    })
  }

  it('refuses what is no object at all', () => {
    const odd = [undefined, null, '', 'record', JSON.stringify(fullRecord()), 0, 1, true, [], {}]
    for (const value of [...odd, [fullRecord()], new Map(Object.entries(fullRecord()))]) {
      refuses(value, show(value))
    }
  })
})

describe("a record under somebody else's name", () => {
  // Gogs CVE-2025-64175: a recovery code was accepted on another account than its own.
  it('is refused', () => {
    for (const other of ['bob', 'Ada', 'ada ', '', 'ad', 'adaa']) {
      expect(() => parseRecord(fullRecord(), other), other).to.throw(Error)
    }
  })

  it('is refused also when a number is told from its digits', () => {
    const one: unknown = { ...fullRecord(), userId: 1 }
    expect(() => parseRecord(one, '1')).to.throw(Error)
  })

  it('is read for users with odd ids', () => {
    for (const id of ['*', 'a:b', '__proto__', 'constructor', 'line\nbreak', '1']) {
      expect(parseRecord({ ...fullRecord(), userId: id }, id).userId).to.equal(id)
    }
  })
})

describe('fields that come from a prototype', () => {
  it('are no fields of the record', () => {
    refuses(Object.create(fullRecord()), 'a record as prototype')
    for (const path of pathsOf(fullRecord())) {
      if (typeof path.at(-1) !== 'string' || ADDED_LATER.test(path.join('.'))) continue
      const copy = structuredClone(fullRecord())
      const { holder, key } = holderOf(copy, path)
      const value: unknown = Reflect.get(holder, key)
      Reflect.deleteProperty(holder, key)
      Object.setPrototypeOf(holder, { [key]: value })
      refuses(copy, path.join('.'))
    }
  })

  it('are none either when JSON carries a __proto__', () => {
    const { authenticators: _, ...rest } = fullRecord()
    const text = `{"__proto__":${JSON.stringify({ authenticators: [] })},${JSON.stringify(rest).slice(1)}`
    refuses(JSON.parse(text), text)
    refuses(Object.assign({}, JSON.parse(text)), 'the same, merged into an object')
  })

  it('are none either when something has polluted all objects', () => {
    // A polluted prototype must not make a broken record read as "not enrolled".
    const broken = without(fullRecord(), ['authenticators'])
    for (const [key, value] of [
      ['authenticators', []],
      ['authenticator', null],
    ] as const) {
      Reflect.set(Object.prototype, key, value)
      try {
        refuses(broken, `a record without authenticators of its own, and ${key} everywhere`)
      } finally {
        Reflect.deleteProperty(Object.prototype, key)
      }
    }
  })
})

describe('a record from before there were hardware tokens', () => {
  const [{ serial: _, offset: __, ...of010 }] = fullRecord().authenticators as [TotpAuthenticator]
  const { replaces: ___, ...setup } = fullRecord().setup as SetupInProgress
  const lifted = {
    ...fullRecord(),
    authenticators: [{ ...of010, serial: null, offset: 0 }],
    setup: { ...fullRecord().setup, replaces: 'all' },
  }

  it('has an app without a serial number, whose clock is right', () => {
    const stored: unknown = { ...fullRecord(), setup, authenticators: [of010] }
    expect(parseRecord(JSON.parse(JSON.stringify(stored)), USER)).to.deep.equal(lifted)
  })

  it('takes neither from a prototype', () => {
    const odd = Object.assign(Object.create({ serial: 'A-18', offset: 2 }), of010)
    const oddSetup = Object.assign(Object.create({ replaces: 'none' }), setup)
    const stored = { ...fullRecord(), setup: oddSetup, authenticators: [odd] }
    expect(parseRecord(stored, USER)).to.deep.equal(lifted)
  })

  it('of now is not copied: every request reads one', () => {
    const record = fullRecord()
    expect(parseRecord(record, USER)).to.equal(record)
  })
})

describe('a record of version 0.1.0', () => {
  // As it was stored, in every state: no authenticator, bound, set-up in progress, reset, locked.
  const { authenticators, setup, ...rest } = fullRecord()
  const [{ id: _, name: __, lastUsedAt: ___, serial: ____, offset: _____, ...authenticator }] =
    authenticators as [TotpAuthenticator]
  const { type: ______, replaces: _______, ...oldSetup } = setup as NonNullable<typeof setup>
  const liftedSetup = { ...setup, replaces: 'all' }
  const added = { id: 'first', name: null, lastUsedAt: null, serial: null, offset: 0 }
  const bound = { ...authenticator, ...added }

  it('has its one authenticator in the list, and its set-up knows its factor', () => {
    const stored: unknown = JSON.parse(JSON.stringify({ ...rest, authenticator, setup: oldSetup }))
    expect(parseRecord(stored, USER)).to.deep.equal({
      ...fullRecord(),
      authenticators: [bound],
      setup: liftedSetup,
    })
  })

  it('has none where there was none, before a set-up and after a reset', () => {
    const stored: unknown = JSON.parse(
      JSON.stringify({ ...rest, authenticator: null, setup: null }),
    )
    const lifted = { ...fullRecord(), authenticators: [], setup: null }
    expect(parseRecord(stored, USER)).to.deep.equal(lifted)
  })

  it('lacks the later members, and its user stays as safe as before', () => {
    const later = [
      'usedChallenges',
      'oneTimeCodes',
      'setupGrant',
      'mailReset',
      'ruleStart',
      'endedUpTo',
      'endedLogins',
      'trustedBrowsers',
    ]
    const left = Object.entries(rest).filter(([name]) => !later.includes(name))
    const { seenByAdmin: _, keyId: __, ...codes } = { ...rest.backupCodes }
    const ended = [{ id: 'stamp', at: NOW }]
    const stored: unknown = JSON.parse(
      JSON.stringify({
        ...Object.fromEntries(left),
        authenticator,
        setup,
        backupCodes: codes,
        ended,
      }),
    )
    expect(parseRecord(stored, USER)).to.deep.equal({
      ...fullRecord(),
      authenticators: [bound],
      usedChallenges: [],
      backupCodes: { ...fullRecord().backupCodes, keyId: null },
      ended: [{ id: 'stamp', version: 3 }],
      ...{ oneTimeCodes: [], setupGrant: null, mailReset: null, ruleStart: null },
      ...{ endedUpTo: null, endedLogins: [], trustedBrowsers: [] },
    })
    refuses({ ...Object(stored), attempts: undefined }, 'one that is broken all the same')
  })

  it('does not tell the keys of its digests', () => {
    const withoutKey = <T extends object>(value: T | null) => {
      const copy = { ...value }
      Reflect.deleteProperty(copy, 'keyId')
      return copy
    }
    const { backupCodes, mailReset, oneTimeCodes } = rest
    const stored: unknown = {
      ...{ ...rest, authenticator, setup },
      backupCodes: withoutKey(backupCodes),
      mailReset: withoutKey(mailReset),
      oneTimeCodes: oneTimeCodes.map(withoutKey),
    }
    expect(parseRecord(stored, USER)).to.deep.equal({
      ...{ ...fullRecord(), authenticators: [bound] },
      backupCodes: { ...backupCodes, keyId: null },
      mailReset: { ...mailReset, keyId: null },
      oneTimeCodes: oneTimeCodes.map((code) => ({ ...code, keyId: null })),
    })
  })

  it('is refused if its authenticator is malformed', () => {
    for (const odd of [undefined, [], {}, 'sealed', 0, false, [authenticator]]) {
      refuses({ ...rest, setup, authenticator: odd }, show(odd))
    }
  })

  it('is refused if it has both: an old field must not turn the second step off', () => {
    refuses({ ...fullRecord(), authenticator: null }, 'null beside a list')
    refuses({ ...fullRecord(), authenticator }, 'one beside a list')
  })

  // A process of 0.1.0 that is still running reads what a new one has written.
  it('can be told from one of now: 0.1.0 demands a field that is gone, and answers 503', () => {
    expect(parseRecord(fullRecord(), USER)).not.to.have.property('authenticator')
  })
})

/** A policy in which no part is missing. */
const fullPolicy: Policy = {
  ...defaultPolicy,
  mode: 'required',
  roles: { admin: 'required', robot: 'off' },
  requiredSince: { general: NOW, roles: { admin: NOW } },
  updatedAt: NOW,
  updatedBy: { kind: 'admin', id: 'ada' },
}
const BY_ROLE = /^(roles|accepts|requiredSince\.roles)\./

describe('reading the stored policy', () => {
  function refusesPolicy(value: unknown, what: string): void {
    expect(() => parsePolicy(value), what).to.throw(Error, 'the stored policy cannot be read')
  }

  it('takes each mode and the edges of its numbers', () => {
    for (const mode of ['off', 'optional', 'required'] as const) {
      for (const [codeAttempts, passwordAttempts] of [
        [3, 3],
        [10, 20],
      ] as const) {
        const policy = { ...defaultPolicy, mode, codeAttempts, passwordAttempts }
        expect(parsePolicy(policy)).to.equal(policy)
      }
    }
    const without = { ...defaultPolicy, backupCodes: false }
    expect(parsePolicy(without)).to.equal(without)
  })

  for (const path of pathsOf(fullPolicy).filter((path) => !BY_ROLE.test(path.join('.')))) {
    it(`refuses it when ${path.join('.')} is missing or ill-typed`, () => {
      // Documents from before there were such rules have none.
      if (path.join('.') !== 'accepts') refusesPolicy(without(fullPolicy, path), 'missing')
      const { holder, key } = holderOf(fullPolicy, path)
      const values = illTyped(path, Reflect.get(holder, key))
      // No role has a rule: that is fine.
      const wrong = ['roles', 'accepts'].some((name) => name === key)
        ? values.filter((value) => show(value) !== '{}')
        : values
      for (const value of wrong) {
        refusesPolicy(replaced(fullPolicy, path, value), show(value))
      }
    })
  }

  it('refuses rules of roles that are no modes, and starts that are no times', () => {
    for (const value of [undefined, null, 'Required', '', 1, true, {}, []]) {
      refusesPolicy({ ...fullPolicy, roles: { admin: value } }, show(value))
    }
    for (const value of [undefined, null, '1', -1, 1.5, true, {}, []]) {
      const requiredSince = { general: NOW, roles: { admin: value } }
      refusesPolicy({ ...fullPolicy, requiredSince }, show(value))
    }
  })

  it('refuses what a role accepts where it is no list of methods', () => {
    for (const value of [undefined, null, 'totp', 1, true, {}, [1], [['totp']]]) {
      refusesPolicy({ ...fullPolicy, accepts: { admin: value } }, show(value))
    }
  })

  it('reads a document from before there were rules of what is accepted as one without', () => {
    const { accepts: _, ...before } = defaultPolicy
    const frozen = Object.freeze({ ...before, roles: Object.freeze({}) })
    for (const policy of [before, frozen]) {
      expect(parsePolicy(policy)).to.deep.equal(defaultPolicy)
    }
  })

  // Otherwise the rule would be off for whoever runs the older version.
  it('keeps a rule with a method that it does not know, which nobody can give', () => {
    const policy = { ...defaultPolicy, accepts: { admin: ['retina'] } }
    const read = parsePolicy(policy)
    expect(acceptedOf(read, { roles: ['admin'] })).to.deep.equal(['retina'])
    expect(isAccepted(acceptedOf(read, { roles: ['admin'] }), 'totp')).to.equal(false)
  })

  it('refuses it once it has changed under the hands of who parsed it', () => {
    const open = { ...fullPolicy, mode: 'required' as string }
    const half = Object.freeze({ ...fullPolicy, roles: { admin: 'required' as string } })
    for (const policy of [open, half]) expect(parsePolicy(policy)).to.equal(policy)
    open.mode = 'whatever'
    half.roles.admin = 'whatever'
    for (const policy of [open, half]) refusesPolicy(policy, show(policy))
  })

  it('takes one that cannot change as often as it is read', () => {
    const policy = Object.freeze({ ...defaultPolicy })
    for (const _ of [1, 2]) expect(parsePolicy(policy)).to.equal(policy)
  })

  it('takes rules of roles with any name', () => {
    const roles: unknown = JSON.parse('{"__proto__":"required","constructor":"off","":"optional"}')
    const policy = { ...fullPolicy, roles }
    expect(parsePolicy(policy)).to.equal(policy)
  })

  it('refuses numbers that no admin could have chosen', () => {
    for (const codeAttempts of [0, 2, 11, 100]) {
      refusesPolicy({ ...defaultPolicy, codeAttempts }, `codeAttempts ${codeAttempts}`)
    }
    for (const graceDays of [-1, 1.5, 366]) {
      refusesPolicy({ ...defaultPolicy, graceDays }, `graceDays ${graceDays}`)
    }
    for (const passwordAttempts of [0, 2, 21, 100]) {
      refusesPolicy({ ...defaultPolicy, passwordAttempts }, `passwordAttempts ${passwordAttempts}`)
    }
  })

  it('refuses what is no object at all', () => {
    for (const value of [undefined, null, '', 'off', 1, true, [], {}]) {
      refusesPolicy(value, show(value))
    }
  })

  it('defaults to optional, with the documented values, if none is stored', () => {
    expect(defaultPolicy).to.deep.equal({
      version: 0,
      writeId: '',
      mode: 'optional',
      roles: {},
      accepts: {},
      graceDays: 7,
      requiredSince: { general: null, roles: {} },
      codeAttempts: 5,
      passwordAttempts: 10,
      backupCodes: true,
      updatedAt: null,
      updatedBy: null,
    })
  })
})
