// The attack: a device gets a name that hides what a page says about it, or that of another device, so that
// its owner removes the wrong one.

import { expect } from 'chai'
import { isNameTaken, readName } from '../../lib/domain/authenticator-name.js'
import { authenticatorWith, enrolledRecord } from '../support/records.js'

describe('the name of an authenticator', () => {
  it('is trimmed, and has single blanks', () => {
    expect(readName('  My   phone ')).to.equal('My phone')
    expect(readName('e\u0301')).to.equal('é')
  })

  it('has letters of any language, and signs', () => {
    for (const name of [
      'Телефон',
      '電話',
      'بنك',
      "O'Neill's (work)",
      '📱',
      '👩‍💻',
      '❤️',
      'می‌خواهم',
      '<b>',
    ]) {
      expect(readName(name), name).to.equal(name)
    }
  })

  it('has one to 40 characters', () => {
    expect(readName('x'.repeat(40))).to.equal('x'.repeat(40))
    expect(readName('📱'.repeat(40))).to.equal('📱'.repeat(40))
    for (const odd of ['', ' ', '\t', 'x'.repeat(41), '\u200d', '\u3164', '\u2800']) {
      expect(readName(odd), JSON.stringify(odd)).to.equal(null)
    }
  })

  it('has nothing that changes how the text around it looks', () => {
    for (const odd of [
      '\0',
      '\n',
      '\u001b',
      '\u0085',
      '\u061c',
      '\u200b',
      '\u200e',
      '\u202e',
      '\u2066',
    ]) {
      expect(readName(`a${odd}b`), JSON.stringify(odd)).to.equal(null)
    }
    for (const odd of ['\u2028', '\ufeff', '\u00ad', '\ud83d', '\ue000', '\u{e0041}']) {
      expect(readName(`a${odd}b`), JSON.stringify(odd)).to.equal(null)
    }
  })

  it('is the only one of its user, up to case and form', () => {
    const authenticators = [
      authenticatorWith({ id: 'a', name: 'Straße 1' }),
      authenticatorWith({ id: 'b', name: null }),
    ]
    const record = enrolledRecord({ authenticators })
    for (const name of ['Straße 1', 'STRASSE 1', 'straße １', 'Straße\u200d1']) {
      expect(isNameTaken(record, name, null), name).to.equal(true)
      expect(isNameTaken(record, name, 'b'), name).to.equal(true)
      expect(isNameTaken(record, name, 'a'), 'its own').to.equal(false)
    }
    expect(isNameTaken(record, 'Straße 2', null)).to.equal(false)
  })
})
