import type { Page } from 'playwright-core'
import { ADMIN, pressed } from './admin-site.js'
import { enrol } from './browser.js'
import { MINUTE, SECOND } from './clock.js'
import { openAll } from './every-page.js'
import type { HostUser } from './host.js'
import { give, passLogin, type Site, scanned } from './site.js'

/**
 * Walks through every page of the admin router, in the states that look different, and calls `look`
 * at each. The admin has no second step yet, and neither has the user on those pages.
 */
export async function walkEveryAdminPage(
  page: Page,
  site: Site,
  [admin, user]: readonly [admin: HostUser, user: HostUser],
  look: (name: string) => Promise<void>,
): Promise<void> {
  const open = async (path: string, name: string) => {
    await page.goto(`${site.url}${ADMIN}${path}`)
    await openAll(page)
    await look(name)
  }
  const press = async (form: string, name: string) => {
    await openAll(page)
    await pressed(page, form)
    await openAll(page)
    await look(name)
  }
  const path = `/users/${user.id}`

  await enrol(site, user)
  await page.context().clearCookies()
  await passLogin(page, site, admin)
  await page.goto(site.at('/setup'))
  const key = await scanned(page, site)
  await give(page, key.code())
  site.system.advance(30 * SECOND)

  await open('/', 'admin-overview')
  await open('/users', 'admin-users')
  await open('/users?state=locked', 'admin-users-nobody')
  await open('/users?limit=0', 'admin-users-odd')
  await open(`/users/${admin.id}`, 'admin-user-self')
  await open(`${path}/reset`, 'admin-action')
  await page.goto(`${site.url}${ADMIN}/users`)
  for (const box of await page.locator('[name="ids"]').all()) await box.check()
  await press('bulk', 'admin-bulk')
  await press('bulk', 'admin-users-report')
  await open(path, 'admin-user')
  await page.locator('#days').fill('x')
  await press('pause', 'admin-user-wrong-days')
  await page.locator('#days').fill('7')
  await page.locator('#reason-pause').fill('A reason')
  await press('pause', 'admin-user-paused')
  await press('backup-codes', 'admin-backup-codes')
  await page.goto(`${site.url}${ADMIN}${path}`)
  await openAll(page)
  // Nobody is asked for a code during a pause.
  await pressed(page, 'resume')
  await press('one-time-code', 'admin-one-time-code')
  await open('/policy', 'admin-policy')
  await page.locator('#mode').selectOption('required')
  await press('policy', 'admin-policy-preview')
  await press('policy', 'admin-policy-changed')
  await page.locator('#graceDays').fill('x')
  await press('policy', 'admin-policy-odd')
  await open('/events', 'admin-events')
  await open('/events?limit=2', 'admin-events-page')
  await page.locator('.events > li > .hint > a').first().click()
  await look('admin-event')
  site.system.advance(5 * MINUTE)
  await open(path, 'admin-user-stale')
  await open('/policy', 'admin-policy-stale')
}
