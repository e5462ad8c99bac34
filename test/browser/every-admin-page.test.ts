import { ada, PEOPLE } from '../support/admin.js'
import { startAdminSite } from '../support/admin-site.js'
import { withPage } from '../support/chromium.js'
import { walkEveryAdminPage } from '../support/every-admin-page.js'
import { expectGoodDarkness, expectGoodLook } from '../support/good-look.js'
import { ann } from '../support/host.js'

/** Ours, and one that is written from right to left, whatever its words. */
const LANGUAGES = ['en', 'ru', 'it', 'es', 'ar']

/** The language in which the colours are checked, light and dark. */
const WITH_COLORS = 'en'

/** One walk, at a site of its own: its clock moves. */
async function walk(lang: string): Promise<void> {
  const site = await startAdminSite({ users: PEOPLE, options: { messages: { ar: {} } } })
  try {
    // The pages' own policy refuses the checker's script, as it should.
    await withPage({ locale: lang, bypassCSP: true }, async (page) => {
      await walkEveryAdminPage(page, site, [ada, ann], async (name) => {
        const colors = lang === WITH_COLORS
        await expectGoodLook(page, name, colors)
        if (colors) await expectGoodDarkness(page, name)
      })
    })
  } finally {
    await site.stop()
  }
}

describe('every page of the admin router', function () {
  this.timeout(300_000)
  let walks: readonly Promise<void>[]
  before(() => {
    // All at once: most of each is waiting.
    walks = LANGUAGES.map((lang) => walk(lang))
    for (const each of walks) each.catch(() => undefined)
  })

  for (const [index, lang] of LANGUAGES.entries()) {
    it(`is accessible and fits phone and desktop in ${lang}`, async () => {
      await walks[index]
    })
  }
})
