import { once } from 'node:events'
import type { Page } from 'playwright-core'
import { virtualAuthenticator } from '../../lib/testing/index.js'
import { type Enrolment, HTML, JSON_TYPE } from './browser.js'
import { SECOND } from './clock.js'
import { ann, type Host, type HostOptions, type HostUser, makeHost } from './host.js'
import { freePort } from './redis-server.js'
import { recordOf } from './visits.js'

/** A host that listens, for real browsers. */
export interface Site extends Host {
  readonly url: string
  /** The address of one of the package's pages. */
  at(path: string): string
  stop(): Promise<void>
}

const LOGIN_PAGE = `<!doctype html><html lang="en"><title>Sign in</title><form method="post">
<input name="username" aria-label="Name"> <input name="password" type="password" aria-label="Password">
<button>Sign in</button></form></html>`

/**
 * Starts a host on a free port of 127.0.0.1, with a page to sign in and one to be signed in at.
 *
 * @param name what browsers know it by: security keys know no addresses
 */
export async function startSite(given: HostOptions = {}, name = '127.0.0.1'): Promise<Site> {
  const port = await freePort()
  const url = `http://${name}:${port}`
  const host = makeHost({
    ...given,
    options: { ...given.options, origin: url },
    routes: (parts) => {
      parts.app.get('/login', (_req, res) => res.type('html').send(LOGIN_PAGE))
      parts.app.get('/', (req, res) => {
        const who = req.isAuthenticated() ? (req.user as HostUser).id : 'nobody'
        res.type('html').send(`<!doctype html><title>Home</title><h1>Home of ${who}</h1>`)
      })
      given.routes?.(parts)
    },
  })
  const server = host.app.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    ...host,
    url,
    at: (path) => `${url}/second-step${path}`,
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** Passes the first step, and opens the page that it leads to. */
export async function passLogin(page: Page, site: Site, user: HostUser = ann): Promise<void> {
  // Not by the host's own form, which is not what is tested: two pages take longer than one.
  const answer = await page.request.post(`${site.url}/login`, {
    form: { username: user.id, password: user.password },
    headers: { accept: HTML, referer: `${site.url}/login` },
    maxRedirects: 0,
  })
  const { location } = answer.headers()
  if (location === undefined) throw new Error(`the login was answered with ${answer.status()}`)
  await page.goto(new URL(location, site.url).href)
}

/** Types into the field of that id and sends its form by Enter. */
export async function give(page: Page, code: string, id = 'code'): Promise<void> {
  const field = page.locator(`[id="${id}"]`)
  await field.fill(code)
  await sent(page, () => field.press('Enter'))
}

/** Does what sends a form, and waits for the page that answers it. */
export async function sent(page: Page, act: () => Promise<unknown>): Promise<void> {
  await Promise.all([page.waitForNavigation(), act()])
}

/** Who is signed in, as the host sees it; the page is its home then. */
export async function whoIsIn(page: Page, site: Site): Promise<string> {
  await page.goto(site.url)
  return (await page.locator('h1').textContent())?.replace('Home of ', '') ?? ''
}

/** What somebody has in hand who is looking at a key: the code of the site's moment. */
export async function scanned(page: Page, site: Site): Promise<Pick<Enrolment, 'code' | 'secret'>> {
  const secret = (await page.locator('#key').textContent())?.replace(/ /g, '') ?? ''
  const authenticator = virtualAuthenticator(secret)
  return { secret, code: () => authenticator.code(site.system.now()) }
}

/** Signs in, sets up, and stops at the page of backup codes. Time moves on by one step. */
export async function setUpAt(page: Page, site: Site, user: HostUser = ann): Promise<Enrolment> {
  await passLogin(page, site, user)
  await page.goto(site.at('/setup'))
  const key = await scanned(page, site)
  await give(page, key.code())
  site.system.advance(30 * SECOND)
  return { ...key, backupCodes: await page.locator('#codes code').allTextContents() }
}

/**
 * The same for a test that is about what comes after: the page's cookies are those of somebody
 * signed in, and no page has been opened.
 */
export async function enrolledAt(
  { request }: Page,
  site: Site,
  user: HostUser = ann,
): Promise<Enrolment> {
  const headers = { accept: JSON_TYPE }
  const post = async (url: string, data: object) => {
    const answer = await request.post(url, { headers, data })
    if (!answer.ok()) throw new Error(`${url} was answered with ${answer.status()}`)
    return answer.json()
  }
  await post(`${site.url}/login`, { username: user.id, password: user.password })
  const { secret } = await (await request.get(site.at('/setup'), { headers })).json()
  const authenticator = virtualAuthenticator(secret)
  const code = () => authenticator.code(site.system.now())
  const { backupCodes } = await post(site.at('/setup'), { code: code() })
  site.system.advance(30 * SECOND)
  return { secret, code, backupCodes }
}

/** Leaves so many backup codes, without the logins that would use up the others. */
export async function leaveBackupCodes(site: Site, left: number, userId = 'ann'): Promise<void> {
  const record = await recordOf(site, userId)
  const { backupCodes, version } = record
  if (backupCodes === null) throw new Error('there are no backup codes')
  const codes = backupCodes.codes.map((code, index) => ({
    ...code,
    usedAt: index < left ? null : 1,
  }))
  const next = { ...record, backupCodes: { ...backupCodes, codes }, version: version + 1 }
  await site.store.write({ ...next, writeId: `left-${left}` }, version)
}
