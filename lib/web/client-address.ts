import { isIP, isIPv4, isIPv6 } from 'node:net'
import type { Request } from 'express'
import { ConfigurationError } from '../errors/configuration-error.js'
import { checkForwarding } from './forwarding.js'
import type { Site } from './site.js'

/**
 * The address to count attempts under: an IPv4 address, or an IPv6 /56, which is what one customer
 * gets.
 *
 * @throws ConfigurationError where a proxy hides the visitor's address from Express, or may do so
 */
export function addressKey(
  req: Request,
  { ignoreForwardedFor }: Pick<Site, 'ignoreForwardedFor'>,
): string {
  const peer = plainAddress(req.socket.remoteAddress ?? '')
  const address = addressOf(req) ?? peer
  checkForwarding(req, address, ignoreForwardedFor)
  if (isIPv4(address)) return address
  if (isIPv6(address)) return network56(address)
  // Gone without an answer. Counted all the same: nothing is free of charge.
  if (req.socket.destroyed) return 'gone'
  throw new ConfigurationError(
    'a request comes from no address, as at a Unix socket: let the proxy send X-Forwarded-For, and set ' +
      "app.set('trust proxy', 1)",
  )
}

/**
 * What codes of this request are limited by, per address.
 *
 * @throws ConfigurationError as `addressKey`; nothing where no address is counted
 */
export function addressLimit(
  site: Pick<Site, 'ipLimit' | 'ignoreForwardedFor'>,
  req: Request,
): { readonly ipKey: string | null; readonly ipLimit: number } {
  const ipLimit = site.ipLimit(req)
  return { ipKey: ipLimit === Number.POSITIVE_INFINITY ? null : addressKey(req, site), ipLimit }
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
