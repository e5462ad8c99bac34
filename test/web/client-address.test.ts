import { expect } from 'chai'
import express, { type Request } from 'express'
import { addressKey, addressOf } from '../../lib/web/client-address.js'

interface Peer {
  readonly peer: string
  readonly forwardedFor?: string
  readonly trust?: unknown
}

/** A request as Express makes it: `req.ip` is Express's own reading of peer and header. */
function requestFrom({ peer, forwardedFor, trust }: Peer): Request {
  const app = express()
  if (trust !== undefined) app.set('trust proxy', trust)
  const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }
  const parts = { app, headers, socket: { remoteAddress: peer } }
  return Object.assign(Object.create(app.request), parts) as Request
}

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

  it('is null where there is no address', () => {
    expect(keyOf('')).to.equal(null)
    expect(keyOf('unix:/run/app.sock')).to.equal(null)
  })

  it('comes from X-Forwarded-For only where Express trusts the proxy', () => {
    const forwardedFor = '198.51.100.9'
    expect(addressKey(requestFrom({ peer: '203.0.113.7', forwardedFor }))).to.equal('203.0.113.7')
    const trusted = { peer: '10.0.0.1', forwardedFor, trust: 1 }
    expect(addressKey(requestFrom(trusted))).to.equal(forwardedFor)
    const spoofed = { peer: '10.0.0.1', forwardedFor: '1.2.3.4, 198.51.100.9', trust: 1 }
    expect(addressKey(requestFrom(spoofed))).to.equal(forwardedFor)
  })

  it('is none where a private peer forwards and Express was told of no proxy', () => {
    // Otherwise one attacker would use up the attempts of everybody behind the proxy.
    const proxies = [
      '10.1.2.3',
      '172.16.0.1',
      '172.31.255.1',
      '192.168.1.1',
      '127.0.0.1',
      '169.254.1.1',
      '::1',
      'fd00::1',
      'fc00::1',
      'fe80::1%eth0',
      '::ffff:10.1.2.3',
      '::ffff:127.0.0.1',
    ]
    for (const peer of proxies) {
      expect(addressKey(requestFrom({ peer, forwardedFor: '198.51.100.9' })), peer).to.equal(null)
    }
    for (const peer of ['172.32.0.1', '11.0.0.1', '2001:db8::1']) {
      expect(addressKey(requestFrom({ peer, forwardedFor: '198.51.100.9' })), peer).to.be.a(
        'string',
      )
    }
    expect(keyOf('10.1.2.3'), 'without the header it is a client').to.equal('10.1.2.3')
  })

  it('warns of such a proxy once, and says what to do', async () => {
    const anew: string = '../../lib/web/client-address.js?anew'
    const fresh = (await import(anew)) as typeof import('../../lib/web/client-address.js')
    const warnings: string[] = []
    const listen = (warning: Error) => warnings.push(warning.message)
    process.on('warning', listen)
    try {
      const req = requestFrom({ peer: '10.1.2.3', forwardedFor: '198.51.100.9' })
      for (let time = 0; time < 3; time += 1) fresh.addressKey(req)
      await new Promise((resolve) => setImmediate(resolve))
    } finally {
      process.off('warning', listen)
    }
    expect(warnings).to.have.length(1)
    expect(warnings[0]).to.include("app.set('trust proxy'")
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
