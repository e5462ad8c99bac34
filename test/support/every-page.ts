import type { Page } from 'playwright-core'
import type { Mail } from '../../lib/index.js'
import { DAY, MINUTE, SECOND } from './clock.js'
import type { HostUser } from './host.js'
import { hasLink, linkIn } from './lost.js'
import { give, leaveBackupCodes, passLogin, type Site, scanned, sent } from './site.js'
import { setPolicy, wrongCodeOf } from './visits.js'

/**
 * Walks through every page there is, in the states that look different, and calls `look` at each.
 * The walk begins with a user who has no second step.
 */
export async function walkEveryPage(
  page: Page,
  site: Site,
  user: HostUser,
  look: (name: string) => Promise<void>,
  mails: readonly Pick<Mail, 'text'>[],
): Promise<void> {
  const settings = async (name: string) => {
    await page.goto(site.at('/'))
    await openAll(page)
    await look(name)
  }
  const next = () => site.system.advance(30 * SECOND)

  await passLogin(page, site, user)
  await settings('settings-off')
  await page.goto(site.at('/setup'))
  await openAll(page)
  await look('setup')
  const key = await scanned(page, site)
  site.system.advance(-3 * MINUTE)
  const late = key.code()
  site.system.advance(3 * MINUTE)
  await give(page, late)
  await look('setup-clock')
  await give(page, key.code())
  await look('backup-codes')
  next()

  await settings('settings-unsaved')
  await give(page, wrongCodeOf(site, key), 'code-reset')
  await openAll(page)
  await look('settings-wrong-code')
  await give(page, key.code(), 'code-show-key')
  await look('show-key')
  next()
  await settings('settings')
  await give(page, key.code(), 'code-change-key')
  await look('change-key')
  next()
  await page.goto(site.at('/'))
  await openAll(page)
  await give(page, key.code(), 'code-authenticators')
  await openAll(page)
  const spare = await scanned(page, site)
  await page.locator('#name').evaluate((field) => field.removeAttribute('maxlength'))
  await page.locator('#name').fill('W'.repeat(41))
  await give(page, spare.code())
  await look('add-device-wrong-name')
  await page.locator('#name').fill('W'.repeat(40))
  await give(page, spare.code())
  next()
  await settings('settings-devices')
  await page.goto(site.at('/fresh'))
  await openAll(page)
  await look('fresh')
  await setPolicy(site, { mode: 'required' })
  await settings('settings-required')
  await setPolicy(site, { mode: 'off' })
  await settings('settings-unused')
  await setPolicy(site, { mode: 'optional' })
  await leaveBackupCodes(site, 2, user.id)
  await settings('settings-few')
  await leaveBackupCodes(site, 0, user.id)
  await settings('settings-none')
  await leaveBackupCodes(site, 2, user.id)
  await page.goto(site.at('/nothing'))
  await look('problem')

  await page.context().clearCookies()
  await passLogin(page, site, user)
  await look('challenge')
  await give(page, wrongCodeOf(site, key))
  await look('challenge-wrong-code')
  await openAll(page)
  await give(page, 'ABCDEF-ABCDEF-ABCDEF-ABCDEF', 'backup-code')
  await look('challenge-wrong-backup-code')
  await give(page, wrongCodeOf(site, key))
  await look('challenge-clock')
  await walkLostPages(page, site, user, look, mails)
  await give(page, key.code())
  next()
  await page.goto(site.at('/'))
  await openAll(page)
  await give(page, key.code(), 'code-disable')
  await look('settings-disabled')
}

/** From the challenge to the link of a reset that waits, and back to the challenge. */
async function walkLostPages(
  page: Page,
  site: Site,
  user: HostUser,
  look: (name: string) => Promise<void>,
  mails: readonly Pick<Mail, 'text'>[],
): Promise<void> {
  await page.goto(site.at('/lost'))
  await look('lost')
  await page.locator('form').evaluate((form) => form.setAttribute('novalidate', ''))
  await give(page, 'nobody', 'email')
  await look('lost-no-address')
  await give(page, user.email ?? '', 'email')
  await look('lost-sent')
  const asked = new Promise((resolve) => site.secondStep.events.once('mail-reset-asked', resolve))
  if (!mails.some(hasLink)) await asked
  await site.secondStep.close()
  const link = site.url + linkIn(mails.findLast(hasLink))
  await page.goto(site.at('/challenge'))
  await look('challenge-reset-waits')
  await page.goto(link)
  await look('lost-link-waits')
  await page.context().clearCookies()
  await page.goto(link)
  await look('lost-link-elsewhere')
  site.system.advance(DAY)
  await passLogin(page, site, user)
  await page.goto(link)
  await look('lost-link')
  await sent(page, () => page.locator('#cancel button').click())
  await look('lost-cancelled')
  await page.goto(link)
  await look('link-expired')
  await page.goto(site.at('/challenge'))
}

/** Opens what is folded, as somebody does who wants to read everything. */
export async function openAll(page: Page): Promise<void> {
  await page.evaluate(
    'document.querySelectorAll("details").forEach((each) => { each.open = true })',
  )
}
