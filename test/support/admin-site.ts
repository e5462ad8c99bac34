import type { Page } from 'playwright-core'
import { ADMIN, PEOPLE, requireAdmin, usersOf } from './admin.js'
import type { HostOptions } from './host.js'
import { type Site, sent, startSite } from './site.js'

export { ADMIN }

/** A site whose users with the role `admin` administer the others. */
export function startAdminSite(given: HostOptions = {}): Promise<Site> {
  const people = given.users ?? PEOPLE
  return startSite({
    ...given,
    users: people,
    options: { users: usersOf(people), roles: ['user', 'admin'], ...given.options },
    mount: ({ app, secondStep }) => void app.use(ADMIN, requireAdmin, secondStep.adminRouter()),
  })
}

/** Presses the button of the form that goes there, the first of several. */
export async function pressed(page: Page, form: string): Promise<void> {
  const button = page.locator(`form[method="post"][action$="/${form}"] button`).first()
  await sent(page, () => button.click())
}
