// A phone that is 55 seconds behind, and one that is 55 ahead, in the hands of somebody who does not know it.

import { expect } from 'chai'
import { withPage } from '../support/chromium.js'
import { MINUTE, SECOND } from '../support/clock.js'
import { ann } from '../support/host.js'
import { oathtoolCodeAt } from '../support/oathtool.js'
import { give, passLogin, scanned, sent, startSite, whoIsIn } from '../support/site.js'

describe('a phone whose clock is off', function () {
  this.timeout(60_000)

  for (const off of [-55, 55]) {
    it(`by ${off} seconds sets up and signs in, each time at the first try`, async () => {
      const site = await startSite()
      try {
        await withPage({}, async (page) => {
          const signOut = () => page.context().clearCookies()
          await passLogin(page, site, ann)
          await page.goto(site.at('/setup'))
          const { secret } = await scanned(page, site)
          const code = () => oathtoolCodeAt(secret, site.system.now() + off * SECOND)
          await give(page, await code())
          await page.getByRole('checkbox').check()
          await sent(page, () => page.locator('button.main').click())
          for (const wait of [31 * SECOND, 47 * SECOND, MINUTE, 44 * SECOND]) {
            site.system.advance(wait)
            await signOut()
            await passLogin(page, site, ann)
            await give(page, await code())
            expect(await whoIsIn(page, site)).to.equal('ann')
          }
        })
      } finally {
        await site.stop()
      }
    })
  }
})
