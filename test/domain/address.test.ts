import { expect } from 'chai'
import { readAddress } from '../../lib/domain/address.js'

describe('an address with letters beyond ASCII in its domain', () => {
  it('is the same as its punycode, which browsers send from a field of type email', () => {
    const punycode = 'ann@xn--bcher-kva.example'
    for (const written of [
      'ann@bücher.example',
      'Ann@BÜCHER.example',
      'ann@bu\u0308cher.example',
    ]) {
      expect(readAddress(written)).to.equal(punycode)
    }
    expect(readAddress(punycode)).to.equal(punycode)
    expect(readAddress('änn@bücher.example')).to.equal('änn@xn--bcher-kva.example')
  })

  it('is not the same as another that a URL would take it for', () => {
    // Somebody registers an address of which a part reads like somebody else's.
    for (const odd of ['/', '?', '#', '%2f']) {
      expect(readAddress(`ann@bücher.example${odd}evil`)).to.equal(null)
    }
    expect(readAddress('ann@bu\u00adcher.example')).to.equal(null)
    expect(readAddress('ann@ü..example\u2024')).not.to.equal(readAddress('ann@ü.example'))
    expect(readAddress('ann@bucher.example')).to.equal('ann@bucher.example')
    expect(readAddress('ann@acme.example')).to.equal('ann@acme.example')
    expect(readAddress('ann@1')).to.equal('ann@1')
  })

  it('is none where no such domain can be, or its ASCII is too long', () => {
    expect(readAddress('ann@xn--ü.example')).to.equal(null)
    expect(readAddress(`${'a'.repeat(60)}@${'ü.'.repeat(90)}example`)).to.equal(null)
  })

  it('is none at millions of characters, whose normal form would take hours', () => {
    const marks = '\u0345\u0315\u0301\u0323'.repeat(1_250_000)
    expect(readAddress(`a${marks}@acme.example`)).to.equal(null)
    expect(readAddress(`ann@acme.example${' '.repeat(5_000_000)}`)).to.equal(null)
  })

  it('may have a longer form that is not normal', () => {
    const written = `${'u\u0308'.repeat(60)}@${'u\u0308'.repeat(40)}.example`
    expect(readAddress(written)).to.equal(readAddress(written.normalize('NFC')))
    expect(readAddress(written)).not.to.equal(null)
  })
})
