// The mistake: Express gives every response a hidden class of its own up to Node.js 22. Whatever looks at its
// properties is slow then, and the guard would be the place where an app has got slower.

import { setFlagsFromString } from 'node:v8'
import { expect } from 'chai'
import { quickenProperties } from '../../../lib/web/request/quick-properties.js'
import { getJson } from '../../support/answers.js'
import { browserOf } from '../../support/browser.js'
import { makeHost } from '../../support/host.js'

const HAVE_OWN_CLASSES = Number.parseInt(process.versions.v8, 10) < 13

/** What V8 knows of an object's properties. */
function hasHiddenClass(): (one: object) => boolean {
  setFlagsFromString('--allow-natives-syntax')
  try {
    return new Function('one', 'return %HasFastProperties(one)') as (one: object) => boolean
  } finally {
    setFlagsFromString('--no-allow-natives-syntax')
  }
}

describe('a request of an app with a guard', () => {
  const where = HAVE_OWN_CLASSES ? '' : ' (with V8 13 or newer, no one has: nothing to see)'
  it(`has no hidden class of its own, and neither has its response${where}`, async () => {
    const hasClass = hasHiddenClass()
    const host = makeHost({
      routes: ({ app }) =>
        app.get('/classes', (req, res) => {
          res.json({ own: HAVE_OWN_CLASSES && (hasClass(req) || hasClass(res)) })
        }),
    })
    const { body } = await getJson(browserOf(host), '/classes').expect(200)
    expect(body).to.deep.equal({ own: false })
  })

  it('leads to its response, and that to it, as Express has linked them', async () => {
    const host = makeHost({
      routes: ({ app }) =>
        app.get('/links', (req, res) => {
          const links = [
            Reflect.getOwnPropertyDescriptor(req, 'res'),
            Reflect.getOwnPropertyDescriptor(res, 'req'),
          ]
          const plain = links.map((link) => ({ ...link, value: undefined }))
          res.json({ plain, linked: links[0]?.value === res && links[1]?.value === req })
        }),
    })
    const { body } = await getJson(browserOf(host), '/links').expect(200)
    const plain = { configurable: true, enumerable: true, writable: true }
    expect(body).to.deep.equal({ plain: [plain, plain], linked: true })
  })
})

describe('making properties quick', () => {
  it('leaves a property as it was', () => {
    const one = { before: 1 }
    const property = { configurable: true, enumerable: false, writable: false, value: 2 }
    Reflect.defineProperty(one, 'link', property)
    quickenProperties(one, 'link')
    expect(Reflect.getOwnPropertyDescriptor(one, 'link')).to.deep.equal(property)
  })

  it('touches neither an accessor, nor an object that allows no deletion, nor what is inherited', () => {
    let read = 0
    const accessor = {
      get link() {
        read += 1
        return 1
      },
    }
    const frozen = Object.freeze({ link: 1 })
    const heir = Object.create({ link: 1 })
    for (const one of [accessor, frozen, heir]) quickenProperties(one, 'link')
    expect(read).to.equal(0)
    expect(typeof Reflect.getOwnPropertyDescriptor(accessor, 'link')?.get).to.equal('function')
    expect(frozen).to.deep.equal({ link: 1 })
    expect(Object.hasOwn(heir, 'link')).to.equal(false)
  })
})
