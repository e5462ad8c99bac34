import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { enrol } from '../support/browser.js'
import { withPage } from '../support/chromium.js'
import { ann } from '../support/host.js'
import { type MailServer, type ReceivedMail, startMailServer } from '../support/mail-server.js'
import { give, passLogin, type Site, scanned, sent, startSite, whoIsIn } from '../support/site.js'

const member = { ...ann, email: 'ann@example.test' }

describe('"Lost your code?" in a browser, with a real mail server', () => {
  let mails: MailServer
  let site: Site
  beforeEach(async () => {
    mails = await startMailServer()
    site = await startSite({
      users: [member],
      options: {
        users: { findById: async () => member },
        mail: { transport: mails.transport, from: 'Acme <no-reply@acme.example>' },
      },
    })
    await enrol(site, member)
  })
  afterEach(async () => {
    await site.secondStep.close()
    await site.stop()
    await mails.stop()
  })

  /** Asks for the mail, from the challenge on; returns its link, as a mail program shows it. */
  async function mailedLink(page: Page): Promise<string> {
    await passLogin(page, site)
    await page.getByText('Lost your code?').click()
    await give(page, member.email, 'email')
    expect(await page.getByRole('status').textContent()).to.contain('is on its way')
    const asked = (mail: ReceivedMail) => mail.subject === 'Acme: Reset your second step'
    const received = await mails.received(mails.mails.some(asked) ? 1 : 2)
    const mail = received.find(asked)
    const [link] = /http:\S+\/lost\/\S+/.exec(mail?.text ?? '') ?? []
    if (link === undefined) throw new Error('there is no link in the mail')
    expect(mail?.recipients).to.deep.equal([member.email])
    expect(mail?.html).to.contain(`href="${link}"`)
    expect(link.startsWith(`${site.url}/second-step/lost/`)).to.equal(true)
    return link
  }

  /** Presses the button, sets up anew, and is in. */
  async function resetAndSetUp(page: Page): Promise<void> {
    expect(await page.getByText('Not you?').isVisible()).to.equal(true)
    expect(await page.locator('.facts').textContent()).to.contain('127.0.0.1')
    await sent(page, () => page.locator('button.danger').click())
    expect(new URL(page.url()).pathname).to.equal('/second-step/setup')
    const key = await scanned(page, site)
    await give(page, key.code())
    expect(await page.locator('#codes code').count()).to.equal(10)
    expect(await whoIsIn(page, site)).to.equal('ann')
  }

  for (const javaScriptEnabled of [true, false]) {
    it(`resets in the browser that asked, ${javaScriptEnabled ? 'with' : 'without'} script`, async () => {
      await withPage({ javaScriptEnabled }, async (page) => {
        await page.goto(await mailedLink(page))
        await resetAndSetUp(page)
      })
      const received = await mails.received(4)
      expect(received.map(({ subject }) => subject)).to.have.members([
        'Acme: Your second step is on',
        'Acme: Reset your second step',
        'Acme: Your second step was reset by e-mail',
        'Acme: Your second step is on',
      ])
    })
  }

  it('waits for who opens the link in another browser first', async () => {
    await withPage({}, async (page) => {
      const link = await mailedLink(page)
      await withPage({}, async (phone) => {
        await phone.goto(link)
        expect(await phone.locator('button.danger').count()).to.equal(0)
        await phone.locator('main a.button').click()
        await phone.waitForURL(`${site.url}/login`)
        expect(await whoIsIn(phone, site)).to.equal('nobody')
      })
      await page.goto(link)
      await resetAndSetUp(page)
    })
  })

  it('resets in another browser, too, once the password was given there', async () => {
    await withPage({}, async (page) => {
      const link = await mailedLink(page)
      await withPage({}, async (phone) => {
        await phone.goto(link)
        await passLogin(phone, site)
        expect(new URL(phone.url()).pathname).to.equal('/second-step/challenge')
        expect(await phone.locator('.note').textContent()).to.contain('it works here')
        await phone.goto(link)
        await resetAndSetUp(phone)
      })
      await page.goto(link)
      expect(await page.locator('h1').textContent()).to.equal('This link no longer works')
      expect(await whoIsIn(page, site)).to.equal('nobody')
    })
  })

  it('is cancelled by one press', async () => {
    await withPage({}, async (page) => {
      const link = await mailedLink(page)
      await page.goto(link)
      await sent(page, () => page.locator('#cancel button').click())
      expect(await page.getByRole('status').textContent()).to.contain('no longer works')
      await page.goto(link)
      expect(await page.locator('h1').textContent()).to.equal('This link no longer works')
    })
  })
})
