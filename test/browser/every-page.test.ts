import { readdirSync } from 'node:fs'
import { expect } from 'chai'
import type { Mail } from '../../lib/index.js'
import { withPage } from '../support/chromium.js'
import { walkEveryPage } from '../support/every-page.js'
import { expectGoodDarkness, expectGoodLook } from '../support/good-look.js'
import type { HostUser } from '../support/host.js'
import { startSite } from '../support/site.js'

const LANGUAGES = readdirSync(new URL('../../messages', import.meta.url))
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.replace('.json', ''))

/** A language that is written from right to left, whatever its words: ours are not there. */
const RIGHT_TO_LEFT = 'ar'

/** The language in which the colours are checked, light and dark. */
const WITH_COLORS = 'en'

const users = [...LANGUAGES, RIGHT_TO_LEFT].map(
  (id): HostUser => ({
    id,
    name: `Ms ${id}`,
    password: `${id}-password`,
    email: `${id}@acme.example`,
  }),
)

/** One walk, at a site of its own: its clock moves. */
async function walk(user: HostUser): Promise<void> {
  const messages = { [RIGHT_TO_LEFT]: {} }
  const mails: Mail[] = []
  const site = await startSite({
    users: [user],
    options: {
      messages,
      users: { findById: async () => user },
      mail: {
        from: 'Acme <no-reply@acme.example>',
        transport: { sendMail: async (mail) => mails.push(mail) },
      },
      lost: { delay: '24h' },
    },
  })
  try {
    // The pages' own policy refuses the checker's script, as it should.
    await withPage({ locale: user.id, bypassCSP: true }, async (page) => {
      const dir = user.id === RIGHT_TO_LEFT ? 'rtl' : 'ltr'
      await walkEveryPage(
        page,
        site,
        user,
        async (name) => {
          const html = page.locator('html')
          expect(await html.getAttribute('lang'), name).to.equal(user.id)
          expect(await html.getAttribute('dir'), name).to.equal(dir)
          const colors = user.id === WITH_COLORS
          await expectGoodLook(page, name, colors)
          if (colors) await expectGoodDarkness(page, name)
        },
        mails,
      )
    })
  } finally {
    await site.stop()
  }
}

describe('every page', function () {
  this.timeout(300_000)
  let walks: readonly Promise<void>[]
  before(() => {
    // All at once: most of each is waiting.
    walks = users.map((user) => walk(user))
    for (const each of walks) each.catch(() => undefined)
  })

  for (const [index, user] of users.entries()) {
    it(`is accessible and fits phone and desktop in ${user.id}`, async () => {
      await walks[index]
    })
  }
})
