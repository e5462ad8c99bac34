import { createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { ConfigurationError } from '../../lib/errors/configuration-error.js'
import { EXAMPLE_KEY, keyRing } from '../../lib/keys/key-ring.js'
import { rejectionOf } from '../stores/rejection.js'

const KEY = createHash('sha256').update('a key').digest('base64')
const OTHER_KEY = createHash('sha256').update('another key').digest('base64')
const secret = Buffer.from('12345678901234567890')
const ada = { purpose: 'authenticator', userId: 'ada' } as const
const adasSet = { purpose: 'backup-code', userId: 'ada', setId: 'set-1' } as const

function derived(key: string, use: string): Buffer {
  const raw = Buffer.from(key, 'base64')
  return Buffer.from(
    hkdfSync('sha256', raw, new Uint8Array(), `passport-second-step/v1/${use}`, 32),
  )
}

describe('the sealer of keyRing', () => {
  it('opens what it sealed', async () => {
    const { sealer } = keyRing([KEY])
    const { secret: opened, stale } = await sealer.open(await sealer.seal(secret, ada), ada)
    expect(Buffer.from(opened)).to.deep.equal(secret)
    expect(stale).to.equal(false)
  })

  it('seals by AES-256-GCM under an HKDF key, with all of its 128-bit tag', async () => {
    const nonce = Buffer.from('nonce, 12 by')
    const { sealer } = keyRing([KEY], { random: () => nonce })
    const sealed = await sealer.seal(secret, ada)
    const [version, keyId, nonceText, text] = sealed.split('.')
    expect([version, nonceText]).to.deep.equal(['v1', nonce.toString('base64url')])
    expect(keyId).to.match(/^[A-Za-z0-9_-]{8}$/)

    const bytes = Buffer.from(text ?? '', 'base64url')
    expect(bytes).to.have.length(secret.length + 16)
    const decipher = createDecipheriv('aes-256-gcm', derived(KEY, 'seal'), nonce)
    decipher.setAAD(Buffer.from('["v1","authenticator","ada"]'))
    decipher.setAuthTag(bytes.subarray(-16))
    expect(
      Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]),
    ).to.deep.equal(secret)
  })

  it('takes a nonce of 96 bits for each secret, from the source it is given', async () => {
    const asked: number[] = []
    const random = (size: number) => {
      asked.push(size)
      return randomBytes(size)
    }
    const { sealer } = keyRing([KEY], { random })
    const [one, two] = [await sealer.seal(secret, ada), await sealer.seal(secret, ada)]
    expect(asked).to.deep.equal([12, 12])
    expect(one).not.to.equal(two)
  })

  // Somebody who can write to the store copies their own sealed secret into another user's record.
  it('opens a secret for no other user and no other purpose', async () => {
    const { sealer } = keyRing([KEY])
    const sealed = await sealer.seal(secret, ada)
    await rejectionOf(sealer.open(sealed, { ...ada, userId: 'bob' }))
    await rejectionOf(sealer.open(sealed, { ...ada, purpose: 'setup' }))
  })

  // User ids chosen so that parts put together without care read the same.
  it('keeps the parts of what a secret is bound to apart', async () => {
    const { sealer } = keyRing([KEY])
    const sealed = await sealer.seal(secret, { ...ada, userId: 'a","b' })
    await rejectionOf(sealer.open(sealed, { ...ada, userId: 'a' }))
    const lone = await sealer.seal(secret, { ...ada, userId: '\ud800' })
    await rejectionOf(sealer.open(lone, { ...ada, userId: '\ud801' }))
  })

  // Node accepts a tag of 4 bytes unless told: it is guessed with 2^32 tries.
  it('refuses a tag that was cut', async () => {
    const { sealer } = keyRing([KEY])
    for (const content of [secret, Buffer.alloc(0)]) {
      const parts = (await sealer.seal(content, ada)).split('.')
      const bytes = Buffer.from(parts[3] ?? '', 'base64url')
      for (const length of [4, 8, 12, 15]) {
        const cut = bytes.subarray(0, content.length + length).toString('base64url')
        await rejectionOf(sealer.open(parts.with(3, cut).join('.'), ada))
      }
    }
  })

  it('refuses a flipped bit anywhere', async () => {
    const { sealer } = keyRing([KEY])
    const parts = (await sealer.seal(secret, ada)).split('.')
    for (const part of [2, 3]) {
      const bytes = Buffer.from(parts[part] ?? '', 'base64url')
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        const flipped = Buffer.from(bytes)
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        const changed = parts.with(part, flipped.toString('base64url')).join('.')
        await rejectionOf(sealer.open(changed, ada))
      }
    }
  })

  it('refuses everything of another form', async () => {
    const { sealer } = keyRing([KEY])
    const good = await sealer.seal(secret, ada)
    const parts = good.split('.')
    const bad = [
      ...['', 'v1', 'v1...', `${good}.`, `${good}.AA`, good.slice(0, -1), ` ${good}`, `${good}\n`],
      ...[good.replace('v1.', 'v2.'), parts.with(1, 'AAAAAAAA').join('.')],
      ...[
        parts.with(2, 'AAAA').join('.'),
        parts.with(2, '').join('.'),
        parts.with(3, '').join('.'),
      ],
    ]
    for (const sealed of bad) await rejectionOf(sealer.open(sealed, ada))
  })

  describe('after the key was changed', () => {
    it('opens what the old key sealed, and says that it is stale', async () => {
      const sealed = await keyRing([OTHER_KEY]).sealer.seal(secret, ada)
      const { sealer } = keyRing([KEY, OTHER_KEY])
      const opened = await sealer.open(sealed, ada)
      expect(Buffer.from(opened.secret)).to.deep.equal(secret)
      expect(opened.stale).to.equal(true)
      expect((await sealer.open(await sealer.seal(secret, ada), ada)).stale).to.equal(false)
    })

    it('opens no secret of a removed key, or of one that is not known yet, and says what to do', async () => {
      const sealed = await keyRing([OTHER_KEY]).sealer.seal(secret, ada)
      const [, id] = sealed.split('.')
      expect(String(await rejectionOf(keyRing([KEY]).sealer.open(sealed, ada))))
        .to.include(`is sealed under key ${id}, which is not in \`keys\``)
        .and.include('every process must have it at the end of its `keys` before any has it first')
    })
  })
})

describe('the digester of keyRing', () => {
  it('is HMAC-SHA-256 under an HKDF key of its own', async () => {
    const { digester } = keyRing([KEY])
    // Many, so that the last character stands for each of its four values.
    for (let nth = 0; nth < 100; nth += 1) {
      const [digest] = await digester.digests(`CODE${nth}`, adasSet)
      const expected = createHmac('sha256', derived(KEY, 'digest'))
        .update(`["backup-code","ada","set-1","CODE${nth}"]`)
        .digest()
        .subarray(0, 16)
        .toString('base64url')
      expect(digest).to.equal(expected)
    }
  })

  // A backup code must be good on the account and in the set it was made for alone.
  it('binds a code to its user and set', async () => {
    const { digester } = keyRing([KEY])
    const digests = await Promise.all([
      digester.digests('CODE', adasSet),
      digester.digests('CODE', { ...adasSet, userId: 'bob' }),
      digester.digests('CODE', { ...adasSet, setId: 'set-2' }),
      digester.digests('CODE', { ...adasSet, userId: 'ada","set-1', setId: '' }),
      digester.digests('OTHER', adasSet),
    ])
    expect(new Set(digests.flat()).size).to.equal(5)
  })

  it("gives one digest for each key, the current key's first", async () => {
    const [current] = await keyRing([KEY]).digester.digests('CODE', adasSet)
    const [old] = await keyRing([OTHER_KEY]).digester.digests('CODE', adasSet)
    const both = await keyRing([KEY, OTHER_KEY]).digester.digests('CODE', adasSet)
    expect(both).to.deep.equal([current, old])
  })
})

describe('keyRing', () => {
  it('takes standard and URL-safe base64 for the same key', async () => {
    const bytes = Buffer.from(KEY, 'base64').fill(0xfb, 0, 8)
    const sealed = await keyRing([bytes.toString('base64')]).sealer.seal(secret, ada)
    await keyRing([bytes.toString('base64url')]).sealer.open(sealed, ada)
  })

  it('reveals nothing about the key in sealed secrets', async () => {
    const sealed = await keyRing([KEY]).sealer.seal(secret, ada)
    const dump = Buffer.concat(sealed.split('.').map((part) => Buffer.from(part, 'base64url')))
    const key = Buffer.from(KEY, 'base64')
    for (let at = 0; at + 6 <= key.length; at += 1) {
      expect(dump.includes(key.subarray(at, at + 6))).to.equal(false)
    }
  })

  const constant = (byte: number) => Buffer.alloc(32, byte).toString('base64')
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const refused: readonly [string, readonly unknown[], string][] = [
    ['an empty list', [], 'keys is empty'],
    ['an environment variable that is not set', [undefined], 'keys[0] is missing'],
    ['an empty text', [''], 'keys[0] is missing'],
    ['a second key that is missing', [KEY, undefined], 'keys[1] is missing'],
    ['a number', [5], 'keys[0] is not base64'],
    ['bytes', [randomBytes(32)], 'keys[0] is not base64'],
    ['a pass phrase', ['correct horse battery staple'], 'keys[0] is not base64'],
    ['a line break at the end', [`${KEY}\n`], 'keys[0] is not base64'],
    ['31 bytes', [randomBytes(31).toString('base64')], 'keys[0] has 31 bytes'],
    ['33 bytes', [randomBytes(33).toString('base64')], 'keys[0] has 33 bytes'],
    ['32 bytes in hex', [randomBytes(32).toString('hex')], 'keys[0] has 48 bytes'],
    ['zeros', [constant(0)], 'keys[0] is one byte repeated'],
    ['one byte repeated', [KEY, constant(0xff)], 'keys[1] is one byte repeated'],
    ["the README's example", [EXAMPLE_KEY], "keys[0] is the README's example key"],
    // Whoever can guess the key opens every secret in a copy of the store.
    ['base64 of a text', [base64('changeme-changeme-2026-changeme!')], 'keys[0] is text'],
    ['base64 of a text in Russian', [base64('поменяй-этот-ключ')], 'keys[0] is text'],
    ['base64 of hex digits', [base64(randomBytes(16).toString('hex'))], 'keys[0] is text'],
    ['16 bytes twice', [Buffer.alloc(32, randomBytes(16)).toString('base64')], 'keys[0] repeats'],
    ['a word again and again', [`${'ChangeMe'.repeat(5)}Cha`], 'keys[0] repeats'],
    ['a sentence', ['this-is-my-very-secret-key-please-change-me'], 'keys[0] is text'],
    ['a sentence in capitals', ['PLEASE_CHANGE_THIS_SECRET_KEY_BEFORE_LAUNCH'], 'keys[0] is text'],
  ]
  for (const [what, keys, message] of refused) {
    it(`refuses ${what}`, () => {
      expect(() => keyRing(keys as string[]))
        .to.throw(ConfigurationError)
        .with.property('message')
        .that.contains(message)
        .and.contains('npx passport-second-step keygen')
    })
  }

  it('refuses a value that is not a list', () => {
    for (const keys of [undefined, null, KEY, {}]) {
      expect(() => keyRing(keys as unknown as string[])).to.throw(
        ConfigurationError,
        'keys must be',
      )
    }
  })

  // A ring of version 0.1.0 may have one: what it sealed must still open until it is sealed anew.
  it('takes a guessable key behind a better one, and says how to get rid of it', async () => {
    const guessable = base64('changeme-changeme-2026-changeme!')
    keyRing([KEY, guessable])
    expect(() => keyRing([guessable, KEY]))
      .to.throw(ConfigurationError)
      .with.property('message')
      .that.contains('put a new key in front of it')
  })

  it('takes 10,000 random keys', () => {
    for (let made = 0; made < 10_000; made += 1) keyRing([randomBytes(32).toString('base64')])
  })

  it('never shows a key that it refuses', () => {
    const almost = randomBytes(31).toString('base64')
    expect(() => keyRing([almost]))
      .to.throw()
      .with.property('message')
      .that.does.not.contain(almost)
  })
})
