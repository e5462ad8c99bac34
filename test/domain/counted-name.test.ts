import { expect } from 'chai'
import { countedName, isPlainName, numberBefore } from '../../lib/domain/counted-name.js'

describe('the name that tries are counted under', () => {
  const alike: Readonly<Record<string, readonly string[]>> = {
    'every case, width and accent': [
      'ann',
      'ANN',
      'Ánn',
      'a\u0301nn',
      'ａｎｎ',
      '𝐚𝐧𝐧',
      'åññ',
      '\u0363nn',
    ],
    'invisible signs': [
      'ann',
      'a\u00adnn',
      'an\u200bn',
      '\ufeffann',
      'ann\u2060',
      'an\u0000n',
      'a\u034fnn',
      'ann\u{e0061}',
    ],
    'blanks around and within': ['ann', 'ann ', ' ann\t', '\u00a0ann\u3000', 'ann\u2800', 'a nn'],
    'signs that a collation does not know': [
      'ann',
      'ann😀',
      'ann😁',
      'ann\ua7c8ዐ',
      'ann㐀',
      'ann\ue000',
      'ann\uffff',
    ],
    'ß, which is s or ss': ['strasse', 'straße', 'strase', 'STRAẞE'],
    'letters with a stroke and ligatures': ['sorenlaegd', 'Sørenłægđ', 'sorenlægð', 'ſorenlaegd'],
    'dots of i': ['irina', 'İrına', 'ırina'],
    'every script’s digits': ['ann1', 'ann١', 'ann１', 'ann¹', 'ann①', 'ann❶', 'ann१'],
    'letters and digits beyond the usual planes': ['ann1', 'a🅝n1', '🅰🅽🅽1', 'ann𐒡', 'ann𐄇', 'ann৴'],
    'signs for a number or a word': ['cool11', '🆒⓫', '🅲ool⑪', 'cool1１'],
    'letters that a language takes for one another': ['jurychus', 'ivricus', 'jwrychus'],
    kana: ['はっぱ', 'ハツハ', 'ﾊｯﾊﾟ', 'ばつば'],
    'Hebrew letters at the end of a word': ['שלום', 'שלומ', 'שָׁלוֹם'],
    'Greek sigma and accents': ['ΑΛΈΞΗΣ', 'αλεξης', 'αλέξησ'],
    Cyrillic: ['Алёна', 'алена', 'АЛЕ\u0308НА\u00ad'],
    'an address': [
      'ann@acme.example',
      'Ánn@ACME.example ',
      'ann＠acme．example',
      'ann@acme.exa\u00admple',
    ],
    'a number': ['1042', '1042 ', '１０٤2'],
  }
  for (const [what, names] of Object.entries(alike)) {
    it(`is one for ${what}`, () => {
      const forms = new Set(names.map(countedName))
      expect([...forms]).to.have.length(1)
      expect([...forms][0]).not.to.equal('')
    })
  }

  it('tells names apart that no database takes for one another', () => {
    const names = [
      'ann',
      'anna',
      'an',
      'bob',
      'ann1',
      'ann2',
      'a.nn',
      'a-nn',
      'ann@a',
      'anna@',
      '1042',
      '1043',
    ]
    const others = [
      'алена',
      'алина',
      '田中',
      '中田',
      'たなか',
      'なかた',
      'иванов@acme',
      'петров@acme',
      'иванов2',
      'петров2',
    ]
    const all = [...names, ...others]
    expect(new Set(all.map(countedName)).size).to.equal(all.length)
  })

  // The attack: a column of numbers takes 42, 042 and 4.2e1 for one user, each with tries of its own.
  it('is one for all texts of a number', () => {
    for (const text of [
      '042',
      '0042',
      '+42',
      ' 42 ',
      '42.0',
      '42.',
      '4.2e1',
      '4.2E+1',
      '.42e2',
      '42e0000',
      '０４２',
    ]) {
      expect(countedName(text), text).to.equal(countedName('42'))
    }
    const long = '9007199254740993'
    expect(countedName(`0${long}`)).to.equal(countedName(long))
    for (const text of [
      '43',
      '420',
      '-42',
      '42a',
      '4e2',
      '90071992547409930',
      '9007199254740992',
    ]) {
      expect(countedName(text), text)
        .not.to.equal(countedName('42'))
        .and.not.to.equal(countedName(long))
    }
  })

  // The attack: MySQL takes 42a, 42b and so on for 42 in a column of numbers.
  it('has the number that it begins with beside it', () => {
    const behind42 = [
      '42a',
      '042b',
      '+42c',
      ' 42d',
      '42.0e',
      '42e',
      '4.2e1x',
      '.42e2x',
      '42 1',
      '42-1',
    ]
    for (const name of behind42) expect(numberBefore(name), name).to.equal('42')
    for (const name of ['42.5a', '43a', '420a']) expect(numberBefore(name), name).not.to.equal('42')
    for (const name of ['42', '042', ' 42.0', '4.2e1', 'ann42', '-42a', '.', '']) {
      expect(numberBefore(name), name).to.equal(null)
    }
  })

  it('is one for all names that are longer than any account’s', () => {
    expect(countedName('x'.repeat(1000))).not.to.equal('')
    expect(countedName('x'.repeat(1001))).to.equal(countedName('\u00ad'.repeat(1001)))
  })

  it('takes time that grows with the length alone', () => {
    // The attack: a thousand characters, each looked up as if for the first time.
    const letters = Array.from({ length: 500 }, (_, at) =>
      String.fromCodePoint(0x1f130 + (at % 26)),
    )
    const unknown = Array.from({ length: 500 }, (_, at) => String.fromCodePoint(0x13000 + at))
    for (const name of [letters, unknown].map((signs) => signs.join(''))) {
      expect(name).to.have.length(1000)
      const begun = performance.now()
      for (let time = 0; time < 20; time += 1) countedName(name)
      expect(performance.now() - begun).to.be.below(500)
    }
  })

  it('is plain in ASCII alone', () => {
    for (const name of ['ann', "Ann.O'Neil", 'ann@acme.example', '1042', '']) {
      expect(isPlainName(name), name).to.equal(true)
    }
    for (const name of ['änn', 'anñ', 'ann\u00ad', 'ann\u0000', '🅰nn', 'алена', 'ann\n']) {
      expect(isPlainName(name), name).to.equal(false)
    }
  })

  it('is its own', () => {
    for (const name of Object.values(alike).flat()) {
      expect(countedName(countedName(name))).to.equal(countedName(name))
    }
  })
})
