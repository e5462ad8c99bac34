import { expect } from 'chai'
import { entriesOf, faultsIn, type Reading, tokensIn } from '../support/token-files.js'

const SEED = '12345678901234567890'
const HEX = Buffer.from(SEED).toString('hex')
const BASE32 = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

async function inShort(file: string | Uint8Array, reading?: Reading) {
  const entries = await entriesOf(file, reading)
  return { tokens: tokensIn(entries), faults: faultsIn(entries) }
}

async function parametersIn(file: string) {
  const entries = await entriesOf(file)
  return entries.map((entry) => {
    if (entry.kind !== 'token') return faultsIn([entry]).join()
    const { secret, ...others } = entry.token
    return { ...others, seed: Buffer.from(secret).toString('latin1'), user: entry.user }
  })
}

describe('a CSV file of tokens', () => {
  it('is read by the names in its first row, in any order and writing', async () => {
    const file = `Serial Number,"Secret-Key",TYPE,otp_length,Time Step,hash,Counter,Username
T-1,${BASE32},TOTP,8,60,SHA-256,,ann
H-1,${HEX},hotp,6,,,7,bob
`
    const [first, second] = await parametersIn(file)
    expect(first).to.deep.equal({
      ...{ serial: 'T-1', type: 'totp', algorithm: 'sha256', digits: 8, period: 60 },
      ...{ seed: SEED, user: 'ann' },
    })
    expect(second).to.deep.equal({
      ...{ serial: 'H-1', type: 'hotp', algorithm: 'sha1', digits: 6, counter: 7 },
      ...{ seed: SEED, user: 'bob' },
    })
  })

  it('is read without a header as serial, seed, type, digits, time step', async () => {
    const file = `T-1,${HEX},totp,8,60\nT-2,${BASE32},totp\nH-1,${HEX},HOTP,8\n`
    const [first, second, third] = await parametersIn(file)
    expect(first).to.include({ serial: 'T-1', digits: 8, period: 60, user: null })
    expect(second).to.include({ serial: 'T-2', digits: 6, period: 30, seed: SEED })
    expect(third).to.include({ serial: 'H-1', digits: 8, counter: 0 })
  })

  const azure = 'upn,serial number,secret key,time interval,manufacturer,model'
  const row = `ann@example.com,1234567,${BASE32},60,Contoso,HardwareKey`
  for (const file of [`${azure}\n${row}\n`, `${row}\n`]) {
    it(`is read with users as vendors make it for Azure: ${file.slice(0, 20)}`, async () => {
      const [token] = await parametersIn(file)
      expect(token).to.include({ serial: '1234567', type: 'totp', period: 60 })
      expect(token).to.include({ user: 'ann@example.com', seed: SEED })
    })
  }

  it('is the same with a byte order mark, CRLF, blank lines, remarks, semicolons or tabs', async () => {
    const plain = `serial,secret,type\nT-1,${HEX},totp\nT-2,${HEX},totp\n`
    const expected = await inShort(plain)
    expect(expected.tokens).to.have.length(2)
    for (const file of [
      `\ufeff${plain}`,
      plain.replaceAll('\n', '\r\n'),
      `\ufeff${plain.replaceAll('\n', '\r\n').replaceAll(',', ';')}`,
      plain.replaceAll(',', '\t'),
      plain.trimEnd(),
      plain.replace(/T-1/, '"T-1"').replace(/totp/, ' "totp" '),
      Buffer.from(`\ufeff${plain}`, 'utf16le'),
    ]) {
      for (const size of [1, 5, 1e6]) expect(await inShort(file, { size })).to.deep.equal(expected)
    }
    const spread = `\n# ours\n${plain.replace('T-2', '\n\nT-2')}\n\n`
    expect((await inShort(spread)).tokens.map((one) => one.slice(0, 5))).to.deep.equal([
      ...['4 T-1', '7 T-2'],
    ])
  })

  it('has empty cells beside quotes, between tabs too', async () => {
    const file = `serial\ttype\talgorithm\tsecret\nT-1\ttotp\t\t"${HEX}"\nT-2\ttotp\t""\t "${HEX}" \n`
    expect(await inShort(file)).to.deep.equal({
      ...{ tokens: [`2 T-1 - ${SEED}`, `3 T-2 - ${SEED}`], faults: [] },
    })
  })

  // A pattern that tries each blank in two ways would take an hour for such a file.
  it('with blanks before a quote is read as fast as any', async function () {
    this.timeout(5000)
    const line = `${' '.repeat(4000)}x"\n`
    const { faults } = await inShort(`serial,secret,type\n${line.repeat(500)}`, { size: 65_536 })
    expect(faults).to.have.length(500)
  })

  it('tells what is wrong by its line, and reads on', async () => {
    const lines = [
      'serial,secret,type,digits,period,algorithm,counter',
      `T-1,${HEX},totp,5,,,`,
      `T-2,${HEX},totp,,0,,`,
      `T-3,${HEX},hotp,,,,-1`,
      `T-4,${HEX},hotp,,,,18446744073709551616`,
      `T-5,${HEX},totp,,,md5,`,
      `T-6,${BASE32.replace('G', '1')},totp,,,,`,
      `T-7,${HEX.slice(0, 26)},totp,,,,`,
      `T-8,${HEX},ocra,,,,`,
      `T-9,,totp,,,,`,
      `,${HEX},totp,,,,`,
      `T-10,${HEX},totp,,,,,`,
      `T-11,${HEX},totp`,
      `"T-12,${HEX},totp,,,,`,
      `T-1,${HEX},totp,,,,`,
      `t-1,${HEX},totp,,,,`,
      `T-13,${HEX},,,,,`,
      `T-14,${HEX},totp,8,60,sha512,`,
    ]
    expect(await inShort(`${lines.join('\n')}\n`)).to.deep.equal({
      tokens: [`15 T-1 - ${SEED}`, `18 T-14 - ${SEED}`],
      faults: [
        ...['2 digits malformed', '3 period malformed', '4 counter malformed'],
        ...['5 counter malformed', '6 algorithm malformed', '7 secret malformed'],
        ...['8 secret too-short', '9 type malformed', '10 secret missing', '11 serial missing'],
        ...['12 columns', '13 columns', '14 quotes', '16 already-in-file', '17 type missing'],
      ],
    })
  })

  it('in another encoding gives no token with a letter that got lost', async () => {
    const file = Buffer.from(
      `serial,secret,type,user\nT-1,${HEX},totp,jos\u00e9\nT-2,${HEX},totp,ann\n`,
      'latin1',
    )
    const { tokens, faults } = await inShort(file)
    expect({ tokens, faults }).to.deep.equal({
      tokens: [`3 T-2 ann ${SEED}`],
      faults: ['2 encoding'],
    })
  })

  describe('that was cut short', () => {
    const whole = `serial,secret,type,digits\nT-1,${HEX},totp,8\nT-2,${HEX},totp,8`
    it('gives no token of its last line, wherever it ends', async () => {
      const start = whole.lastIndexOf('\n') + 1
      for (let length = start + 1; length < whole.length; length += 1) {
        const { tokens, faults } = await inShort(whole.slice(0, length))
        expect(tokens, whole.slice(start, length)).to.have.length(1)
        expect(faults).to.have.length(1)
      }
      expect((await inShort(whole)).tokens).to.have.length(2)
    })

    it('gives no token with the half of a seed that is long enough for one', async () => {
      const file = `type,serial,secret\ntotp,T-1,${'ab'.repeat(32)}\ntotp,T-2,${'ab'.repeat(20)}`
      expect((await inShort(file)).faults).to.deep.equal(['3 cut-short'])
    })

    it('takes no field that did not come for its default', async () => {
      const file = `T-1,${HEX},totp,8,60\nT-2,${HEX},totp`
      expect((await inShort(file)).faults).to.deep.equal(['2 cut-short'])
    })
  })

  describe('whose columns are not known', () => {
    it('is left at its first row', async () => {
      for (const file of [
        `${HEX},T-1,totp\n`,
        `T-1,${HEX}\n`,
        'serial,type\nT-1,totp\n',
        `serial,secret,seed\nT-1,${HEX},${HEX}\n`,
        `1,2,3,4,5,6,7,8\n`,
        'PK\u0003\u0004 a spreadsheet',
      ]) {
        const { tokens, faults } = await inShort(file)
        expect(tokens, file).to.deep.equal([])
        expect(faults.join(), file).to.match(/^1 (no-layout|secret malformed)$/)
      }
    })

    it('is read with a notice if a name alone is not known: it may be a misspelt one', async () => {
      const file = `serial,secret,type,digts,model\nT-1,${HEX},totp,8,c200\n`
      const { tokens, faults } = await inShort(file)
      expect(faults).to.deep.equal(['1 unknown-column'])
      expect(tokens).to.have.length(1)
    })

    it('tells of a HOTP line whose fifth cell may be a time step or a counter', async () => {
      expect((await inShort(`T-1,${HEX},hotp,6,30\n`)).faults).to.deep.equal(['1 needs-header'])
    })
  })

  // The mistake: an export without tokens counts as imported.
  it('is told to be empty with a header alone too', async () => {
    for (const file of ['serial,secret,type\n', '# nothing\nserial,secret,type\n\n']) {
      expect((await inShort(file)).faults.join(), JSON.stringify(file)).to.match(/^\d empty$/)
    }
  })

  it('is told to be empty', async () => {
    for (const file of ['', '\n\n', '\ufeff', '# nothing\n']) {
      expect((await inShort(file)).faults, JSON.stringify(file)).to.deep.equal(['1 empty'])
    }
  })
})
