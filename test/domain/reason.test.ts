import { expect } from 'chai'
import { readReason } from '../../lib/domain/reason.js'

// The attack: an admin gives a reason that nobody can see where one is demanded, or one that reads as another.
describe('the reason of a change', () => {
  it('is none where nothing of it can be seen', () => {
    for (const given of [
      '',
      ' \n',
      '\u200b',
      '\u200d\u2060 \ufeff',
      '\u3164',
      '\u2800',
      '\u00ad',
    ]) {
      expect(readReason(given), JSON.stringify(given)).to.equal(null)
    }
  })

  it('turns no text around', () => {
    for (const sign of '\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c') {
      expect(readReason(`lost ${sign}enohp`), JSON.stringify(sign)).to.equal(undefined)
    }
  })

  it('may be of several lines, in any script', () => {
    for (const text of ['lost\r\n\tthe phone', 'אבד הטלפון', '👩\u200d💻', 'می\u200cخواهم']) {
      expect(readReason(` ${text}\n`)).to.equal(text)
    }
  })
})
