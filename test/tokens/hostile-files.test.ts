// The attack: whoever can put a file of tokens before an operator wants more than tokens: the
// memory of the machine (entities that grow, elements and lines without an end), its files (external
// entities), or a seed on the terminal.
import { expect } from 'chai'
import fc from 'fast-check'
import { readTokens } from '../../lib/tokens/read-tokens.js'
import { FIGURE_3, FIGURE_6, FIGURE_6_KEY, FIGURE_10 } from '../support/rfc6030-figures.js'
import { entriesOf, faultsIn, NOW, tokensIn } from '../support/token-files.js'

const OPENING = '<KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc">'
const PIECE = 64 * 1024

/** The faults of a file that has no end, and how much of it was read. */
async function ofEndless(start: string, repeated: string) {
  let read = 0
  async function* file(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(start)
    const piece = Buffer.from(repeated.repeat(Math.ceil(PIECE / repeated.length)))
    for (;;) {
      read += piece.length
      if (read > 64 * PIECE) throw new Error('too much of it was read')
      yield piece
    }
  }
  const faults: string[] = []
  for await (const entry of readTokens(file(), { key: null, now: NOW })) {
    faults.push(...faultsIn([entry]))
  }
  return faults
}

describe('a hostile file of tokens', () => {
  const bomb = `<!DOCTYPE KeyContainer [<!ENTITY a "aaaaaaaaaa">
${['bcdefghij'].flatMap((names) => [...names].map((name, index) => `<!ENTITY ${name} "${`&${'abcdefghij'[index]};`.repeat(10)}">`)).join('\n')}]>`

  it('with entities that grow is refused, whole', async () => {
    const file = FIGURE_3.replace('?>\n', `?>\n${bomb}\n`).replace('987654321', '&j;')
    const entries = await entriesOf(file)
    expect(tokensIn(entries)).to.deep.equal([])
    expect(faultsIn(entries)).to.have.length(1)
    expect(faultsIn(entries)[0]).to.match(/ doctype$/)
  })

  for (const doctype of [
    '<!DOCTYPE KeyContainer SYSTEM "file:///etc/passwd">',
    '<!DOCTYPE KeyContainer [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE KeyContainer PUBLIC "-//X//Y" "http://127.0.0.1/x.dtd">',
    '<!doctype KeyContainer>',
  ]) {
    it(`with ${doctype.slice(0, 40)}… is refused before its first token`, async () => {
      for (const size of [1, 1e6]) {
        const entries = await entriesOf(FIGURE_3.replace('?>\n', `?>\n${doctype}\n`), { size })
        expect(tokensIn(entries)).to.deep.equal([])
        expect(faultsIn(entries)).to.deep.equal(['2 doctype'])
      }
    })
  }

  for (const put of ['&serial;', 'A&B', 'A & B']) {
    it(`with an entity that nobody has defined is told of it: ${put}`, async () => {
      const entries = await entriesOf(FIGURE_3.replace('987654321', put))
      expect(tokensIn(entries)).to.deep.equal([])
      expect(faultsIn(entries).join()).to.match(/^\d+ entity$/)
    })
  }

  for (const [what, start, repeated, fault] of [
    ['a document type', '<!DOCTYPE KeyContainer [', '<!ENTITY a "b">', 'doctype'],
    ['a text', `${OPENING}<KeyPackage><Key>`, 'AAAA', 'too-large'],
    ['a text outside of tokens', `${OPENING}<Extensions>`, 'AAAA', 'too-large'],
    ['a section of text', `${OPENING}<KeyPackage><Key><![CDATA[`, 'AAAA', 'too-large'],
    ['elements', `${OPENING}<KeyPackage>`, '<a/>', 'too-large'],
    ['a depth', `${OPENING}<KeyPackage>`, '<a>', 'too-large'],
    ['attributes', `${OPENING}<KeyPackage `, 'xmlns:a="b" ', 'too-large'],
    ['an attribute', `${OPENING}<KeyPackage a="`, 'AAAA', '(xml|too-large)'],
    ['a name', `${OPENING}<`, 'AAAA', '(xml|too-large)'],
    ['a comment', `${OPENING}<!--`, 'AAAA', '(xml|too-large)'],
    ['a processing instruction', `${OPENING}<?a `, 'AAAA', '(xml|too-large)'],
  ] as const) {
    it(`with ${what} that never ends is left, not held`, async () => {
      const faults = await ofEndless(start, repeated).catch((error: Error) => [error.message])
      expect(faults.join()).to.match(new RegExp(` ${fault}$`))
    })
  }

  it('with a line that never ends is skipped to its end, not held', async () => {
    const long = 'A'.repeat(5 * 1024 * 1024)
    const file = `serial,secret,type\nS-1,${long},totp\nS-2,${'ab'.repeat(20)},totp\n`
    const entries = await entriesOf(file, { size: PIECE })
    expect(faultsIn(entries)).to.deep.equal(['2 too-large'])
    expect(tokensIn(entries)).to.have.length(1)
  })

  const CSV = `serial,secret,type,user\nT-1,${'ab'.repeat(20)},totp,ann\nT-2,"${'cd'.repeat(20)}",hotp,bob\n`
  for (const [name, file] of Object.entries({ FIGURE_3, FIGURE_6, FIGURE_10, CSV })) {
    it(`with any bytes changed is read without an error, the same in any pieces: ${name}`, async () => {
      const whole = Buffer.from(file)
      const place = fc.nat({ max: whole.length - 1 })
      const change = fc.record({ from: place, removed: fc.nat({ max: 40 }), put: damage() })
      await fc.assert(
        fc.asyncProperty(
          fc.array(change, { maxLength: 3 }),
          fc.integer({ min: 1, max: 90 }),
          async (changes, size) => {
            const changed = changes.reduce(
              (bytes, { from, removed, put }) =>
                Buffer.concat([
                  bytes.subarray(0, from),
                  Buffer.from(put),
                  bytes.subarray(from + removed),
                ]),
              whole,
            )
            const key = name === 'FIGURE_6' ? FIGURE_6_KEY : null
            const once = await entriesOf(changed, { key, size: changed.length + 1 })
            expect(await entriesOf(changed, { key, size })).to.deep.equal(once)
            if (name === 'FIGURE_6') {
              for (const token of tokensIn(once)) expect(token).to.match(/ 12345678901234567890$/)
            }
          },
        ),
        { numRuns: 300 },
      )
    })
  }
})

/** Bytes, and pieces that mean something in XML and CSV. */
function damage(): fc.Arbitrary<Uint8Array> {
  const pieces = [
    '<',
    '>',
    '"',
    '&',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<?',
    '\ufeff',
    '\r',
    '\n',
    ',',
    '\0',
    '<!DOCTYPE',
  ]
  return fc.oneof(
    fc.uint8Array({ maxLength: 6 }),
    fc.constantFrom(...pieces).map((piece) => Uint8Array.from(Buffer.from(piece))),
  )
}
