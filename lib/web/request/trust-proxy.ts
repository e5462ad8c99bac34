import type { Application } from 'express'

/**
 * As `proxy-addr` calls it: whether the address is trusted, at this distance in proxies from the
 * app.
 */
type Trust = (address: string, hop: number) => unknown

/** No app has more proxies in front of it, so a higher number trusts everybody. */
const MOST_PROXIES = 8

/** All ranges of a large CDN together are a smaller share of the public addresses. */
const SHARE_OF_PROXIES = 1 / 32

/** One public address out of each /8 (out of 10/8, 100/8 and 127/8 it would be none). */
const PUBLIC_IPV4 = range(1, 223)
  .filter((first) => ![10, 100, 127].includes(first))
  .map((first) => `${first}.111.222.33`)

/** Some of each block that a registry gives out: 2400::/12, 2600::/12, 2800::/12, 2a00::/12, 2c00::/12. */
const PUBLIC_IPV6 = ['24', '26', '28', '2a', '2c'].flatMap((first) =>
  range(0, 15).map((second) => `${first}0${second.toString(16)}:1111:2222::33`),
)

const known = new WeakMap<Trust, number>()

/**
 * How many proxies in a row Express trusts at any public address: the number in `trust proxy`, or 0
 * if it names addresses. Infinity if it trusts everybody, or more of the internet than any proxies
 * have: Express would then take visitors for proxies.
 */
export function trustedHops(app: Application): number {
  const trust: unknown = app.get('trust proxy fn')
  if (!isTrust(trust)) return 0
  const hops = known.get(trust) ?? countHops(trust)
  known.set(trust, hops)
  return hops
}

function countHops(trust: Trust): number {
  const hops = range(0, MOST_PROXIES).find((hop) => !trustsStrangers(trust, hop))
  return hops ?? Number.POSITIVE_INFINITY
}

function trustsStrangers(trust: Trust, hop: number): boolean {
  return [PUBLIC_IPV4, PUBLIC_IPV6].some((addresses) => {
    const trusted = addresses.filter((address) => isTrusted(trust, address, hop))
    return trusted.length > addresses.length * SHARE_OF_PROXIES
  })
}

/**
 * The host's function may know only one address family. If it fails for a visitor, that visitor's
 * request fails.
 */
function isTrusted(trust: Trust, address: string, hop: number): boolean {
  try {
    return Boolean(trust(address, hop))
  } catch {
    return false
  }
}

function isTrust(value: unknown): value is Trust {
  return typeof value === 'function'
}

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}
