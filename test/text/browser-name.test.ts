import { expect } from 'chai'
import { browserName } from '../../lib/text/browser-name.js'

const APPLE = 'AppleWebKit/605.1.15 (KHTML, like Gecko)'
const CHROME = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0'
const PHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X)'

const known: readonly (readonly [string, string | null, string | null])[] = [
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox', 'Linux'],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36`, 'Chrome', 'Windows'],
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36 Edg/141.0.0.0`,
    'Edge',
    'Windows',
  ],
  [`Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${CHROME} Safari/537.36`, 'Chrome', 'ChromeOS'],
  [`Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Mobile Safari/537.36`, 'Chrome', 'Android'],
  [
    `Mozilla/5.0 (Linux; Android 15; SM-S921B) SamsungBrowser/28.0 ${CHROME} Mobile Safari/537.36`,
    'Samsung Internet',
    'Android',
  ],
  [`${PHONE} ${APPLE} Version/18.5 Mobile/15E148 Safari/604.1`, 'Safari', 'iPhone'],
  [`${PHONE} ${APPLE} CriOS/141.0 Mobile/15E148 Safari/604.1`, 'Chrome', 'iPhone'],
  [`${PHONE} ${APPLE} FxiOS/143.0 Mobile/15E148 Safari/605.1.15`, 'Firefox', 'iPhone'],
  [
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${APPLE} Version/26.0 Safari/605.1.15`,
    'Safari',
    'macOS',
  ],
  [`Mozilla/5.0 (X11; Linux x86_64) ${CHROME} Safari/537.36 OPR/122.0.0.0`, 'Opera', 'Linux'],
  ['curl/8.14.1', 'curl', null],
]

describe('the name of a browser', () => {
  for (const [userAgent, browser, system] of known) {
    it(`is ${browser} on ${system ?? 'no system that we know'}: ${userAgent.slice(-40)}`, () => {
      expect(browserName(userAgent)).to.deep.equal({ browser, system })
    })
  }

  // Whoever guesses a user's codes writes the header that a mail to the user tells of.
  it('is never what the header says, only a name of ours', () => {
    const nothing = { browser: null, system: null }
    for (const text of ['', 'call +1 555 0100', 'http://evil.example/', '<b>x</b>\r\nBcc: a@b.c']) {
      expect(browserName(text)).to.deep.equal(nothing)
    }
    expect(browserName(null)).to.deep.equal(nothing)
  })

  it('takes no time, however long the header is', () => {
    const started = performance.now()
    for (const part of ['Version/', 'Edg', ' Mobile/', 'Windows']) browserName(part.repeat(100_000))
    expect(performance.now() - started).to.be.below(5000)
  })
})
