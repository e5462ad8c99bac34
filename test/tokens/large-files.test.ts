// The mistake: a file with all tokens of a company is held in memory, and the import of the largest
// one ends half done.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { UNCOUNTED } from '../support/cli.js'
import { moduleUrl, NODE_ARGUMENTS } from '../support/modules.js'

const SEED_HEX = 'ab'.repeat(20)
const PARTS = {
  csv: {
    before: 'serial,secret,type,user\n',
    token: `FT-#,${SEED_HEX},totp,user-#\n`,
    after: '',
  },
  pskc: {
    before: '<KeyContainer xmlns="urn:ietf:params:xml:ns:keyprov:pskc">\n',
    token: `<KeyPackage><DeviceInfo><SerialNo>FT-#</SerialNo></DeviceInfo><Key Id="1"
  Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp"><Data><Secret><PlainValue>${Buffer.from(
    SEED_HEX,
    'hex',
  ).toString('base64')}</PlainValue></Secret></Data></Key></KeyPackage>\n`,
    after: '</KeyContainer>\n',
  },
}

/** Reads a file that is made as it is read, in a process that cannot hold it. */
async function tokensReadOf(kind: keyof typeof PARTS, count: number): Promise<number> {
  const script = `
import { readTokens } from '${moduleUrl('lib/tokens/read-tokens')}'
const { before, token, after } = ${JSON.stringify(PARTS[kind])}
async function* file() {
  yield Buffer.from(before)
  for (let from = 0; from < ${count}; from += 500) {
    const lines = Array.from({ length: 500 }, (_, index) => token.replaceAll('#', String(from + index)))
    yield Buffer.from(lines.join(''))
  }
  yield Buffer.from(after)
}
let tokens = 0
for await (const entry of readTokens(file(), { key: null, now: 0 })) {
  if (entry.kind !== 'token') throw new Error(JSON.stringify(entry))
  tokens += 1
}
console.log(tokens)
`
  const args = ['--max-old-space-size=48', ...NODE_ARGUMENTS, '--input-type=module', '-e', script]
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, ...UNCOUNTED },
  })
  return Number(stdout)
}

describe('a file of tokens that is larger than the memory', function () {
  this.timeout(180_000)

  it('is read in CSV, 300,000 lines', async () => {
    expect(await tokensReadOf('csv', 300_000)).to.equal(300_000)
  })

  it('is read in PSKC, 50,000 keys', async () => {
    expect(await tokensReadOf('pskc', 50_000)).to.equal(50_000)
  })
})
