import { isIP, isIPv4, isIPv6 } from 'node:net'
import type { Request } from 'express'
import { ConfigurationError } from '../../errors/configuration-error.js'
import { checkForwarding } from './forwarding.js'
import { groupsOf, plainAddress } from './plain-address.js'
import type { Site } from './site.js'

/**
 * The address to count attempts under: an IPv4 address, or an IPv6 /56, which is what one customer
 * gets.
 *
 * @throws ConfigurationError where a proxy hides the visitor's address from Express, or may do so
 */
export function addressKey(req: Request, site: Pick<Site, 'ignoreForwardedFor'>): string {
  const address = addressOf(req, site) ?? peerOf(req)
  checkForwarding(req, address, site.ignoreForwardedFor)
  if (isIPv4(address)) return address
  if (isIPv6(address)) return network56(address)
  // The client disconnected before the answer. Counted all the same, so that no attempt is free.
  if (req.socket.destroyed) return 'gone'
  throw new ConfigurationError(
    'a request comes from no address, as at a Unix socket: let the proxy send X-Forwarded-For, and set ' +
      "app.set('trust proxy', 1)",
  )
}

/**
 * The key under which this request's codes are limited per address.
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

/** The visitor's address as people read it, or null. What the limits count under is made of it. */
export function addressOf(
  req: Request,
  { ignoreForwardedFor }: Pick<Site, 'ignoreForwardedFor'>,
): string | null {
  // The host says that only clients send the header, so it is ignored, whatever Express trusts.
  const address = ignoreForwardedFor ? peerOf(req) : plainAddress(req.ip ?? '')
  return isIP(address) === 0 ? null : address
}

function peerOf(req: Request): string {
  return plainAddress(req.socket.remoteAddress ?? '')
}

function network56(address: string): string {
  const [first = 0, second = 0, third = 0, fourth = 0] = groupsOf(address)
  const groups = [first, second, third, fourth & 0xff00]
  return `${groups.map((group) => group.toString(16)).join(':')}::/56`
}
