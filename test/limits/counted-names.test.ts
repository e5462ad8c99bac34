// The attack: the host's database takes `a\u00adnn` or `ánn` for `ann`. Each other way to write a name
// that has a count of its own gives ten more guesses.

import { expect } from 'chai'
import { countedName } from '../../lib/domain/counted-name.js'
import { MARIADB, type TestDatabase } from '../support/databases.js'

const COLLATIONS = ['general_ci', 'unicode_ci', 'unicode_520_ci', 'uca1400_ai_ci']
const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
const SINGLE = [...LETTERS, ...'0123456789', ..."!#$%&'*+-/=?^_`{|}~.@"]
// Signs for fractions and the like, which are in nobody's name.
const ODD = [...'৴৵৶৷']

const chunks = (signs: readonly string[]) =>
  Array.from({ length: Math.ceil(signs.length / 2000) }, (_, at) =>
    signs.slice(at * 2000, at * 2000 + 2000),
  )

const EVERY_SIGN = Array.from({ length: 0xffff }, (_, at) => String.fromCharCode(at + 1)).filter(
  (sign) => !/\p{Cs}/u.test(sign),
)

describe('names that MariaDB takes for one another', function () {
  this.timeout(60_000)
  let database: TestDatabase
  before(async () => {
    database = await MARIADB.start()
  })
  after(() => database.stop())

  /** What the collation compares in place of each sign. */
  async function weightsIn(collation: string): Promise<ReadonlyMap<string, string>> {
    const db = database.connect()
    const weights = new Map<string, string>()
    try {
      for (const signs of chunks(EVERY_SIGN)) {
        const rows = signs.map(
          (sign) => `select _utf8mb4 x'${Buffer.from(sign).toString('hex')}' as sign`,
        )
        const [weighed] = await db.raw<[{ sign: string; weight: string }[]]>(
          `select hex(sign) as sign, hex(weight_string(sign collate utf8mb4_${collation})) as weight
           from (${rows.join(' union all ')}) as signs`,
        )
        for (const { sign, weight } of weighed ?? [])
          weights.set(Buffer.from(sign, 'hex').toString(), weight)
      }
      return weights
    } finally {
      await db.destroy()
    }
  }

  for (const collation of COLLATIONS) {
    it(`are counted as one: ${collation}`, async () => {
      const weights = await weightsIn(collation)
      expect(weights.size).to.equal(EVERY_SIGN.length)
      const pairs = LETTERS.flatMap((one) => LETTERS.map((two) => one + two))
      const plain = new Map(
        ['', ...SINGLE, ...pairs].map((text) => [
          [...text].map((sign) => weights.get(sign) ?? '').join(''),
          text,
        ]),
      )
      const apart = [...weights].filter(([sign, weight]) => {
        const text = plain.get(weight)
        if (text === undefined || ODD.includes(sign)) return false
        return countedName(`an${sign}n`) !== countedName(`an${text}n`)
      })
      expect(apart.map(([sign]) => sign)).to.deep.equal([])
    })
  }
})
