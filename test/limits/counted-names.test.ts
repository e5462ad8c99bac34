// The attack: the host's database takes `a\u00adnn` or `ánn` for `ann`. Each other way to write a name
// that has a count of its own gives ten more guesses.

import { expect } from 'chai'
import { countedName } from '../../lib/domain/counted-name.js'
import { MARIADB, type TestDatabase } from '../support/databases.js'

const COLLATIONS = ['general_ci', 'unicode_ci', 'unicode_520_ci', 'uca1400_ai_ci']
// Latin takes i for j and u for v, Lithuanian i for y and c for ch.
const LANGUAGES = ['roman', 'lithuanian', 'swedish', 'danish', 'german2', 'spanish2', 'croatian']
const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
const PAIRS = LETTERS.flatMap((one) => LETTERS.map((two) => one + two))
const SINGLE = [...LETTERS, ...'0123456789', ..."!#$%&'*+-/=?^_`{|}~.@"]

const chunks = (signs: readonly string[]) =>
  Array.from({ length: Math.ceil(signs.length / 2000) }, (_, at) =>
    signs.slice(at * 2000, at * 2000 + 2000),
  )

const EVERY_SIGN = Array.from({ length: 0x1ffff }, (_, at) => String.fromCodePoint(at + 1)).filter(
  (sign) => !/\p{Cs}/u.test(sign),
)

describe('names that MariaDB takes for one another', function () {
  this.timeout(60_000)
  let database: TestDatabase
  before(async () => {
    database = await MARIADB.start()
  })
  after(() => database.stop())

  /** What the collation compares in place of each text. */
  async function weightsIn(
    collation: string,
    texts: readonly string[],
  ): Promise<ReadonlyMap<string, string>> {
    const db = database.connect()
    const weights = new Map<string, string>()
    try {
      for (const some of chunks(texts)) {
        const rows = some.map(
          (text) => `select _utf8mb4 x'${Buffer.from(text).toString('hex')}' as text`,
        )
        const [weighed] = await db.raw<[{ text: string; weight: string }[]]>(
          `select hex(text) as text, hex(weight_string(text collate utf8mb4_${collation})) as weight
           from (${rows.join(' union all ')}) as texts`,
        )
        for (const { text, weight } of weighed ?? [])
          weights.set(Buffer.from(text, 'hex').toString(), weight)
      }
      return weights
    } finally {
      await db.destroy()
    }
  }

  for (const collation of COLLATIONS) {
    it(`are counted as one: ${collation}`, async () => {
      const weights = await weightsIn(collation, EVERY_SIGN)
      expect(weights.size).to.equal(EVERY_SIGN.length)
      const plain = new Map(SINGLE.map((sign) => [weights.get(sign), sign]))
      const apart = [...weights].filter(([sign, weight]) => {
        // Each letter has a weight of two bytes. A sign may have those of several letters.
        const letters = (weight.match(/.{4}/g) ?? []).map((one) => plain.get(one))
        const text = letters.includes(undefined) ? undefined : letters.join('')
        if (text === undefined) return false
        return countedName(`an${sign}n`) !== countedName(`an${text}n`)
      })
      expect(apart.map(([sign]) => sign)).to.deep.equal([])
    })
  }

  for (const language of LANGUAGES) {
    it(`are counted as one without any accent: ${language}`, async () => {
      const weights = await weightsIn(`${language}_ci`, [...SINGLE, ...PAIRS])
      const texts = new Map<string, string>()
      for (const [text, weight] of weights) {
        const same = texts.get(weight) ?? text
        expect(countedName(`an${text}n`), `${text} is ${same}`).to.equal(countedName(`an${same}n`))
        texts.set(weight, same)
      }
    })
  }
})
