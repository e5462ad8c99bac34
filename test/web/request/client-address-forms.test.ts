// The attack: some proxies forward the visitor's port with the address, and each connection has another
// one. Counted under the whole of it, or under nothing since it is no address, nobody is limited.

import { expect } from 'chai'
import express, { type Request } from 'express'
import {
  addressKey as countedUnder,
  addressOf as shownAs,
} from '../../../lib/web/request/client-address.js'
import { browserOf } from '../../support/browser.js'
import { makeHost } from '../../support/host.js'

const PROXY = '198.51.100.1'

const addressKey = (req: Request) => countedUnder(req, { ignoreForwardedFor: false })
const addressOf = (req: Request) => shownAs(req, { ignoreForwardedFor: false })

/** A request that a trusted proxy forwards; `req.ip` is Express's own reading of it. */
function forwarded(forwardedFor: string, peer = PROXY): Request {
  const app = express().set('trust proxy', 1)
  const headers = { 'x-forwarded-for': forwardedFor }
  const parts = { app, headers, socket: { remoteAddress: peer } }
  return Object.assign(Object.create(app.request), parts) as Request
}

const same: Readonly<Record<string, readonly string[]>> = {
  '203.0.113.7': [
    '203.0.113.7',
    '203.0.113.7:51334',
    '203.0.113.7:1',
    '::ffff:203.0.113.7',
    '[::ffff:203.0.113.7]:51334',
    '[::ffff:cb00:7107]',
  ],
  // A NAT64 makes such addresses of all of IPv4: a stranger must not use up the tries of everybody.
  '203.0.113.8': ['203.0.113.8', '64:ff9b::cb00:7108', '[64:ff9b::203.0.113.8]:443'],
  '2001:db8:0:0::/56': [
    '2001:db8::1',
    '[2001:db8::1]',
    '[2001:db8::1]:443',
    '[2001:DB8:0:0:0:0:0:2]:51334',
    '[2001:db8::1%eth0]:443',
  ],
}

const nonsense = [
  'unknown',
  '_hidden',
  ':443',
  '[]',
  '[]:443',
  '[unknown]:443',
  '203.0.113',
  '203.0.113.7:51334:1',
  '203.0.113.7:http',
  '203.0.113.700:443',
  '[203.0.113.7',
  '2001:db8::1]:443',
  '[2001:db8::1]443',
  'for=203.0.113.7',
  '../../etc',
]

describe('an address that a trusted proxy forwards', () => {
  for (const [key, forms] of Object.entries(same)) {
    for (const form of forms) {
      it(`is counted under ${key} when it is written ${form}`, () => {
        expect(addressKey(forwarded(form))).to.equal(key)
      })
    }
  }

  it('is counted under the proxy where it is none', () => {
    // Without a key there would be no limit, and visitors choose what they send.
    for (const text of nonsense) expect(addressKey(forwarded(text)), text).to.equal(PROXY)
    expect(addressKey(forwarded('unknown', '2001:db8:ff00::1'))).to.equal('2001:db8:ff00:0::/56')
  })

  it('is shown to people without port and brackets, and not at all where it is none', () => {
    expect(addressOf(forwarded('203.0.113.7:51334'))).to.equal('203.0.113.7')
    expect(addressOf(forwarded('[2001:db8::1]:443'))).to.equal('2001:db8::1')
    for (const text of nonsense) expect(addressOf(forwarded(text))).to.equal(null)
  })

  it('is limited over HTTP, whatever port the visitor comes from', async () => {
    const host = makeHost({
      routes: ({ app, passport, secondStep }) => {
        app.set('trust proxy', 1)
        app.post('/limited', secondStep.limitPassword(), passport.authenticate('local'))
      },
    })
    const browser = browserOf(host)
    const tryFrom = (forwardedFor: string) =>
      browser
        .post('/limited')
        .set('X-Forwarded-For', forwardedFor)
        .send({ username: 'ann', password: 'guessed' })
    for (let port = 50_000; port < 50_010; port += 1) {
      await tryFrom(`203.0.113.7:${port}`).expect(401)
    }
    await tryFrom('203.0.113.7:50010').expect(429)
    await tryFrom('[::ffff:203.0.113.7]:50011').expect(429)
    await tryFrom('203.0.113.8:50012').expect(401)
  })
})
