// The mistake: a "remember me" in front of the guard signs in at each request between the two steps, and each time all
// that the session knew of the pending login, but its id, was lost: when the next reset mail can go, what was
// just done, and the link that was opened in this browser.

import { expect } from 'chai'
import { Strategy } from 'passport'
import { getPage, postForm } from '../../support/answers.js'
import { type Browser, browserOf, enrol } from '../../support/browser.js'
import { type Host, type HostOptions, type HostParts, makeHost } from '../../support/host.js'
import { hasLink, type LostHost, linkIn, lostHost, member } from '../../support/lost.js'

const CHALLENGE = '/second-step/challenge'
const LOST = '/second-step/lost'
const HINT = /open the link in the e-mail again/

/** As passport-remember-me does it. Here a header is the cookie. */
class RememberMe extends Strategy {
  override readonly name = 'remember-me'

  override authenticate(req: Parameters<Strategy['authenticate']>[0]): void {
    if (req.isAuthenticated() || req.get('x-remembered') === undefined) this.pass()
    else this.success(member)
  }
}

function rememberMe({ app, passport }: HostParts): void {
  passport.use(new RememberMe())
  app.use(passport.authenticate('remember-me'))
}

const ways: Readonly<Record<string, (options: HostOptions) => HostOptions>> = {
  'in front of the guard': ({ beforeGuard, ...options }) => ({
    ...options,
    beforeGuard(parts) {
      beforeGuard?.(parts)
      rememberMe(parts)
    },
  }),
  'behind the guard': (options) => ({ ...options, mountFirst: rememberMe }),
}

interface Remembered extends Pick<LostHost, 'mails'> {
  readonly host: Host
  readonly browser: Browser
  idle(): Promise<void>
}

async function rememberedBy(way: (options: HostOptions) => HostOptions): Promise<Remembered> {
  const { options, mails, idle } = lostHost()
  const host = makeHost(way(options))
  await enrol(host, member)
  const browser = browserOf(host)
  browser.set('X-Remembered', 'ann')
  await getPage(browser, '/inside').expect(303)
  return { host, browser, mails, idle: () => idle(host) }
}

/** Asks for a reset mail, and sees the page after it. */
async function asked({ browser, idle }: Remembered): Promise<string> {
  await postForm(browser, LOST, { email: member.email }).expect(303)
  await idle()
  return (await getPage(browser, `${LOST}?sent=1`).expect(200)).text
}

for (const [name, way] of Object.entries(ways)) {
  describe(`a pending login that "remember me" ${name} goes on with`, () => {
    it('knows when the next reset mail can go', async () => {
      const visit = await rememberedBy(way)
      const first = await asked(visit)
      expect(first)
        .to.contain('on its way')
        .and.match(/<time datetime/)
      expect(await asked(visit)).to.contain('no new one was sent')
      expect(visit.mails.filter(hasLink)).to.have.length(1)
    })

    it('says what was just done, once', async () => {
      const visit = await rememberedBy(way)
      await postForm(visit.browser, `${LOST}/cancel`).expect(303)
      const says = async () =>
        (await getPage(visit.browser, CHALLENGE).expect(200)).text.includes('reset is cancelled')
      expect([await says(), await says()]).to.deep.equal([true, false])
    })

    it('knows of the link that was opened in this browser before it', async () => {
      const visit = await rememberedBy(way)
      await asked(visit)
      const other = browserOf(visit.host)
      await getPage(other, linkIn(visit.mails.findLast(hasLink))).expect(200)
      other.set('X-Remembered', 'ann')
      await getPage(other, '/inside').expect(303)
      for (const _time of ['at first', 'after a reload']) {
        expect((await getPage(other, CHALLENGE).expect(200)).text).to.match(HINT)
      }
    })
  })
}
