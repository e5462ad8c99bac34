import { expect } from 'chai'
import { withPage } from '../support/chromium.js'
import { passLogin, type Site, sent, setUpAt, startSite } from '../support/site.js'

describe('the page of a part that does not answer', () => {
  let site: Site
  before(async () => {
    site = await startSite()
  })
  after(() => site.stop())

  it('looks like every other page, and its button tries again', async () => {
    await withPage({}, async (page) => {
      const refused: string[] = []
      page.on('console', (message) => {
        if (/Content Security Policy/.test(message.text())) refused.push(message.text())
      })
      await setUpAt(page, site)
      const find = site.store.find.bind(site.store)
      site.store.find = () => Promise.reject(new Error('away'))
      const asked: string[] = []
      page.on('request', (request) => asked.push(new URL(request.url()).pathname))
      await page.goto(site.at('/fresh?a=1'))
      const look = (selector: string, property: string) =>
        page.evaluate(
          `getComputedStyle(document.querySelector('${selector}')).getPropertyValue('${property}')`,
        )
      expect(await look('.card', 'max-inline-size')).to.not.equal('none')
      expect(await look('.button', 'text-decoration-line')).to.equal('none')
      expect(asked, 'nothing that stands behind the store').to.deep.equal(['/second-step/fresh'])
      site.store.find = find
      await sent(page, () => page.getByRole('link', { name: 'Try again' }).click())
      expect(page.url()).to.equal(site.at('/fresh?a=1'))
      expect(await page.locator('#code').count()).to.equal(1)
      expect(refused, 'what the policy of the page refuses').to.deep.equal([])
    })
  })

  it('leads from a form to a page again', async () => {
    await withPage({}, async (page) => {
      await passLogin(page, site)
      expect(new URL(page.url()).pathname).to.equal('/second-step/challenge')
      const find = site.store.find.bind(site.store)
      site.store.find = () => Promise.reject(new Error('away'))
      await page.locator('#code').fill('123456')
      await sent(page, () => page.locator('#code').press('Enter'))
      site.store.find = find
      await sent(page, () => page.getByRole('link', { name: 'Try again' }).click())
      expect(page.url()).to.equal(site.at('/challenge'))
      expect(await page.locator('#code').count()).to.equal(1)
    })
  })
})
