import { expect } from 'chai'
import { getJson, getPage } from '../../support/answers.js'
import { browserOf, passFirstStep } from '../../support/browser.js'
import { type HostUser, makeHost } from '../../support/host.js'

// A display name or an issuer must neither run in the page nor change the address in the QR code.
const names: Record<string, string> = {
  'a script': '<script>alert(1)</script>',
  'an image that fails': '"><img src=x onerror=alert(1)>',
  'a colon': 'Acme: Bank: evil@example.test',
  'an escaped colon': 'Acme%3ABank',
  emoji: 'Acme 🦉👩‍👩‍👧',
  'right-to-left marks': '\u202eemcA\u202c \u200f\u2066x\u2069',
  'right-to-left letters': 'בנק أكمي',
  'another secret': 'a&secret=AAAAAAAA&issuer=Evil',
  'a query and a fragment': 'a?secret=AAAAAAAA#b',
  'line breaks': 'a\r\nSet-Cookie: x=1\u2028b',
  'half a character': 'a\ud83db',
  '4 KB of letters': 'x'.repeat(4096),
  '4 KB of emoji': '🦉'.repeat(1024),
}

for (const [what, name] of Object.entries(names)) {
  describe(`names with ${what}`, () => {
    const user: HostUser = { id: 'ann', name, password: 'p' }
    const host = makeHost({ users: [user], options: { issuer: name } })
    const browser = browserOf(host)
    before(() => passFirstStep(browser, user))

    it('leave one secret and one issuer in the address, and a QR code that holds it', async () => {
      const { body } = await getJson(browser, '/second-step/setup').expect(200)
      const uri = new URL(body.uri)
      expect(uri.href.startsWith('otpauth://totp/')).to.equal(true)
      expect(body.uri).to.match(/^[\x21-\x7e]{1,800}$/)
      expect([...uri.searchParams.keys()]).to.deep.equal([
        'secret',
        'issuer',
        'algorithm',
        'digits',
        'period',
      ])
      expect(uri.searchParams.get('secret')).to.equal(body.secret)
      expect(uri.searchParams.get('issuer')).to.equal(body.issuer)
      const label = uri.pathname.slice(1).split(':').map(decodeURIComponent)
      expect(label).to.deep.equal([body.issuer, body.account])
      for (const shown of label) expect([...shown].length).to.be.within(1, 64)
      expect(body.qr).to.match(/^<svg/)
    })

    it('stay text on the pages', async () => {
      for (const path of ['/second-step/setup', '/second-step/', '/second-step/nothing']) {
        const { text } = await getPage(browser, path)
        expect(text.match(/<script\b/g), path).to.have.length(1)
        expect(text, path).to.not.match(/<img|onerror=alert\(1\)>/)
      }
    })
  })
}
