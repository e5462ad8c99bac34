import { expect } from 'chai'
import express, { type Request } from 'express'
import { errors } from '../../../lib/index.js'
import {
  addressKey as countedUnder,
  addressOf as shownAs,
} from '../../../lib/web/request/client-address.js'

interface Peer {
  readonly peer: string
  readonly forwardedFor?: string
  readonly trust?: unknown
  /** The connection is gone. */
  readonly destroyed?: boolean
}

/** A request as Express makes it: `req.ip` is Express's own reading of peer and header. */
function requestFrom({ peer, forwardedFor, trust, destroyed }: Peer): Request {
  const app = express()
  if (trust !== undefined) app.set('trust proxy', trust)
  const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }
  const parts = { app, headers, socket: { remoteAddress: peer, destroyed } }
  return Object.assign(Object.create(app.request), parts) as Request
}

const addressKey = (req: Request) => countedUnder(req, { ignoreForwardedFor: false })
const addressOf = (req: Request) => shownAs(req, { ignoreForwardedFor: false })
const keyOf = (peer: string) => addressKey(requestFrom({ peer }))

describe('the address that attempts are counted under', () => {
  it('is an IPv4 address itself', () => {
    expect(keyOf('203.0.113.7')).to.equal('203.0.113.7')
    expect(keyOf('203.0.113.8')).to.not.equal(keyOf('203.0.113.7'))
  })

  it('is the same for an IPv4 address in any of its IPv6 forms', () => {
    // Another notation must not give an attacker another hundred tries.
    const forms = [
      '::ffff:203.0.113.7',
      '::FFFF:203.0.113.7',
      '::ffff:cb00:7107',
      '0:0:0:0:0:ffff:cb00:7107',
      '0000:0000:0000:0000:0000:ffff:203.0.113.7',
    ]
    for (const form of forms) expect(keyOf(form), form).to.equal('203.0.113.7')
  })

  it('is the /56 of an IPv6 address, in every notation', () => {
    // One customer has 2^72 addresses in it (better-auth CVE-2026-45364).
    const same = [
      '2001:db8:aa:bb00::1',
      '2001:DB8:AA:BB00::1',
      '2001:0db8:00aa:bb00:0000:0000:0000:0001',
      '2001:db8:aa:bb00:0:0:0:1',
      '2001:db8:aa:bbff:ffff:ffff:ffff:ffff',
      '2001:db8:aa:bb42:1:2:3:4',
      '2001:db8:aa:bb00::192.0.2.1',
      '2001:db8:aa:bb01::1%eth0',
    ]
    const keys = new Set(same.map(keyOf))
    expect([...keys]).to.deep.equal(['2001:db8:aa:bb00::/56'])
    expect(keyOf('2001:db8:aa:bc00::1')).to.not.equal(keyOf('2001:db8:aa:bb00::1'))
  })

  it('tells short groups apart that differ above the /56', () => {
    expect(keyOf('2001:db8:0:1::1')).to.equal('2001:db8:0:0::/56')
    expect(keyOf('2001:db8:0:100::1')).to.equal('2001:db8:0:100::/56')
    expect(keyOf('::1')).to.equal('0:0:0:0::/56')
  })

  it('leaves the zone of a link-local address out', () => {
    expect(keyOf('fe80::1%eth0')).to.equal(keyOf('fe80::1%wlan1'))
    expect(keyOf('fe80::1%eth0')).to.equal(keyOf('fe80::1'))
  })

  it('is never empty: refuses visitors without an address, and counts disconnected ones together', () => {
    for (const peer of ['', 'unix:/run/app.sock']) {
      expect(() => keyOf(peer), peer).to.throw(errors.ConfigurationError, 'Unix socket')
    }
    expect(addressKey(requestFrom({ peer: '', destroyed: true }))).to.equal('gone')
  })

  it('comes from X-Forwarded-For only where Express trusts the proxy', () => {
    const forwardedFor = '198.51.100.9'
    const trusted = { peer: '10.0.0.1', forwardedFor, trust: 1 }
    expect(addressKey(requestFrom(trusted))).to.equal(forwardedFor)
    const spoofed = { peer: '10.0.0.1', forwardedFor: '1.2.3.4, 198.51.100.9', trust: 1 }
    expect(addressKey(requestFrom(spoofed))).to.equal(forwardedFor)
  })

  it('is the peer’s own where the host says that clients alone send the header', () => {
    const ignoring = { ignoreForwardedFor: true }
    const forwardedFor = '198.51.100.9'
    for (const peer of ['203.0.113.7', '10.1.2.3']) {
      expect(countedUnder(requestFrom({ peer, forwardedFor }), ignoring)).to.equal(peer)
      const trusted = { peer, forwardedFor, trust: 'loopback, uniquelocal' }
      expect(countedUnder(requestFrom(trusted), ignoring), 'whatever is trusted').to.equal(peer)
      expect(() => addressKey(requestFrom({ peer, forwardedFor }))).to.throw('trust proxy')
    }
    expect(addressKey(requestFrom({ peer: '10.1.2.3', forwardedFor: ' , ' }))).to.equal('10.1.2.3')
  })

  it('is not taken from a private network behind a trusted proxy, where that forwards too', () => {
    const proxies = [
      ...['10.1.2.3', '172.16.0.1', '172.31.255.1', '192.168.1.1', '127.0.0.1', '169.254.1.1'],
      ...['100.64.0.1', '::1', 'fd00::1', 'fc00::1', 'fe80::1', '::ffff:10.1.2.3', '10.1.2.3:443'],
    ]
    const behind = (peer: string) =>
      requestFrom({ peer: '10.0.0.1', forwardedFor: `203.0.113.7, ${peer}`, trust: 1 })
    for (const peer of proxies) {
      expect(() => addressKey(behind(peer)), peer).to.throw(errors.ConfigurationError)
    }
    for (const peer of ['172.32.0.1', '11.0.0.1', '100.128.0.1', '2001:db8::1', '::12']) {
      expect(addressKey(behind(peer)), peer).to.be.a('string')
    }
  })
})

describe('the address that people read', () => {
  it('is the visitor’s whole address, without zone and IPv6 form', () => {
    expect(addressOf(requestFrom({ peer: '::ffff:203.0.113.7' }))).to.equal('203.0.113.7')
    expect(addressOf(requestFrom({ peer: '2001:db8::1' }))).to.equal('2001:db8::1')
    expect(addressOf(requestFrom({ peer: 'fe80::1%eth0' }))).to.equal('fe80::1')
    expect(addressOf(requestFrom({ peer: '' }))).to.equal(null)
  })
})
