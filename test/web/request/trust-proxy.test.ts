// The attack: `trust proxy` trusts half of the internet, and whoever connects from there writes in
// X-Forwarded-For the address that it is counted under.

import { expect } from 'chai'
import express from 'express'
import { trustedHops } from '../../../lib/web/request/trust-proxy.js'

const hops = (trust: unknown) => trustedHops(express().set('trust proxy', trust))

/** What Cloudflare, CloudFront, Akamai and Front Door say to trust: public, and proxies every one. */
const NETWORKS_OF_PROXIES = [
  ...['103.21.244.0/22', '104.16.0.0/13', '104.64.0.0/10', '141.101.64.0/18', '162.158.0.0/15'],
  ...['172.64.0.0/13', '13.32.0.0/15', '52.84.0.0/15', '99.84.0.0/16', '2.16.0.0/13'],
  ...['23.0.0.0/12', '23.32.0.0/11', '23.64.0.0/14', '23.192.0.0/11', '184.24.0.0/13'],
  ...['147.243.0.0/16', '2400:cb00::/32', '2606:4700::/32', '2a06:98c0::/29', '2600:9000::/28'],
]

describe('how many unknown proxies in a row `trust proxy` trusts', () => {
  const none = [false, 0, 'loopback, linklocal, uniquelocal', '203.0.113.7', NETWORKS_OF_PROXIES]
  for (const trust of none) {
    it(`is none: ${String(trust)}`, () => expect(hops(trust)).to.equal(0))
  }

  for (const trust of [1, 2, 5]) {
    it(`is the number that it says: ${trust}`, () => expect(hops(trust)).to.equal(trust))
  }

  it('is what a function trusts by position, whatever it trusts by address', () => {
    expect(hops((address: string, hop: number) => hop < 2 || address.startsWith('10.'))).to.equal(2)
    expect(hops((address: string) => address.startsWith('203.0.113.'))).to.equal(0)
    expect(hops((address: string, hop: number) => hop < 3 && !address.startsWith('1'))).to.equal(3)
  })

  const everybody = [
    ...[true, 50, 9, '0.0.0.0/1, 128.0.0.0/1', '0.0.0.0/1', '64.0.0.0/3', '::ffff:0:0/96'],
    ...['::/1, 8000::/1', '2000::/3', '2a00::/12', '2600::/8'],
    (address: string) => address !== '192.0.2.1',
    (address: string) => !address.startsWith('192.0.2.') && !address.includes(':'),
  ]
  for (const trust of everybody) {
    it(`has no end: ${String(trust)}`, () => expect(hops(trust)).to.equal(Number.POSITIVE_INFINITY))
  }

  it('takes a function that throws at an address for one that does not trust it', () => {
    const onlyOldOnes = (address: string) => {
      if (address.includes(':')) throw new TypeError('no IPv4 address')
      return address.startsWith('10.')
    }
    expect(hops(onlyOldOnes)).to.equal(0)
  })

  it('is asked for once for each setting', () => {
    let asked = 0
    const app = express().set('trust proxy', () => {
      asked += 1
      return false
    })
    trustedHops(app)
    const first = asked
    trustedHops(app)
    expect(asked).to.equal(first)
    expect(hops(1)).to.equal(1)
  })
})
