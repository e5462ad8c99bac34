import { isIP, isIPv4, isIPv6 } from 'node:net'
import type { Request } from 'express'

const PRIVATE_PEER =
  /^(::1|127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd][0-9a-f]{2}:|fe80:)/i

let warned = false

/**
 * The address to count attempts under: an IPv4 address, or an IPv6 /56, which is what one customer
 * gets. Null where it would be a proxy's address for everybody: a private peer forwards for
 * somebody and Express was not told to trust it.
 */
export function addressKey(req: Request): string | null {
  if (isUntrustedProxy(req)) {
    warnOnce()
    return null
  }
  const address = addressOf(req) ?? plainAddress(req.socket.remoteAddress ?? '')
  if (isIPv4(address)) return address
  return isIPv6(address) ? network56(address) : null
}

/** The visitor's address as people read it, or null. */
export function addressOf(req: Request): string | null {
  const address = plainAddress(req.ip ?? '')
  return isIP(address) === 0 ? null : address
}

/** Without zone and port, which some proxies forward, and without the IPv6 form of IPv4. */
function plainAddress(address: string): string {
  const unzoned = address
    .replace(/^\[(.*)\](:\d+)?$/, '$1')
    .replace(/^([\d.]+):\d+$/, '$1')
    .replace(/%.*$/, '')
  if (!isIPv6(unzoned)) return unzoned
  const groups = groupsOf(unzoned)
  if (groups.slice(0, 5).some((group) => group !== 0) || groups[5] !== 0xffff) return unzoned
  const [high = 0, low = 0] = groups.slice(6)
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

function network56(address: string): string {
  const [first = 0, second = 0, third = 0, fourth = 0] = groupsOf(address)
  const groups = [first, second, third, fourth & 0xff00]
  return `${groups.map((group) => group.toString(16)).join(':')}::/56`
}

/** The eight groups of an IPv6 address; the URL parser knows every way to write one. */
function groupsOf(address: string): readonly number[] {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = canonical.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const gap = tail === undefined ? 0 : 8 - left.length - right.length
  const groups = [...left, ...Array<string>(gap).fill('0'), ...right]
  return groups.map((group) => Number.parseInt(group, 16))
}

function isUntrustedProxy(req: Request): boolean {
  const trusted: unknown = req.app.get('trust proxy')
  if (trusted || req.get('x-forwarded-for') === undefined) return false
  return PRIVATE_PEER.test(plainAddress(req.socket.remoteAddress ?? ''))
}

function warnOnce(): void {
  if (warned) return
  warned = true
  process.emitWarning(
    'a proxy with a private address forwards requests (X-Forwarded-For), but Express trusts no ' +
      "proxy: attempts are not limited per address. Set app.set('trust proxy', …).",
  )
}
