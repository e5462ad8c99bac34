import { expect } from 'chai'
import type { Browser } from 'playwright-core'
import { ejsMails } from '../../lib/text/mails.js'
import { loadMessages } from '../../lib/text/messages.js'
import { ejsViews } from '../../lib/text/views.js'
import { launchChromium } from '../support/launch-chromium.js'

const LANGUAGES = ['en', 'ru', 'it', 'es'] as const
const AT = new Date(Date.UTC(2026, 0, 5, 12, 0, 0))
const PHONE = { width: 390, height: 844 }
const NARROW = { width: 320, height: 640 }

const write = ejsMails(ejsViews(), {
  messages: loadMessages(),
  issuer: 'Acme',
  origin: 'https://accounts.a-long-name-of-a-company.example',
  paths: { secondStep: '/second-step' },
})

/** The mail whose link is longest: it holds a user id, a secret and a MAC. */
function resetMail(language: string) {
  const event = {
    type: 'mail-reset-asked',
    detail: { usableAt: AT, expiresAt: new Date(AT.getTime() + 30 * 60_000) },
    ...{ at: AT, method: null, ip: '2001:db8:1234:5678:9abc:def0:1234:5678', userAgent: null },
    ...{ user: 'ann', actor: { kind: 'user' as const, id: 'ann' }, reason: null },
  } as const
  return write(event, [language], null, `${'a1'.repeat(24)}.${'b2'.repeat(22)}.${'c3'.repeat(22)}`)
}

function tokenMail() {
  const event = {
    type: 'token-assigned',
    detail: { name: null, serial: 'A1'.repeat(32) },
    ...{ at: AT, method: 'hotp' as const, ip: null, userAgent: null },
    ...{ user: 'ann', actor: { kind: 'admin' as const, id: 'ada' }, reason: null },
  } as const
  return write(event, ['en'])
}

describe('The mail with the link of a reset', () => {
  let chromium: Browser
  before(async () => {
    chromium = await launchChromium()
  })
  after(() => chromium.close())

  for (const language of LANGUAGES) {
    it(`is no wider than a phone, and has a button that says what it does (${language})`, async () => {
      for (const viewport of [PHONE, NARROW]) {
        const page = await chromium.newPage({ viewport, isMobile: true, hasTouch: true })
        await page.setContent(resetMail(language).html)
        // The body's own width: a phone's mail program lays the whole mail out as wide as its widest part.
        const width = await page.evaluate('document.documentElement.scrollWidth')
        expect(width).to.equal(viewport.width)
        const button = page.getByRole('link').first()
        const box = await button.boundingBox()
        expect(box?.height).to.be.at.least(44)
        expect(await button.getAttribute('href')).to.include('/second-step/lost/')
        expect(await button.innerText()).not.to.include('https://')
        await page.close()
      }
    })
  }

  it('is no wider than a phone with the longest serial number of a token', async () => {
    const page = await chromium.newPage({ viewport: PHONE, isMobile: true })
    await page.setContent(tokenMail().html)
    expect(await page.evaluate('document.documentElement.scrollWidth')).to.equal(PHONE.width)
    await page.close()
  })

  it('says until when the link is good after the link', () => {
    const { html, text } = resetMail('en')
    for (const mail of [html, text]) {
      expect(mail.indexOf('The link works once, until')).to.be.above(
        mail.indexOf('/second-step/lost/'),
      )
    }
  })
})
