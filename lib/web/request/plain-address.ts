import { isIPv4, isIPv6 } from 'node:net'

/**
 * Prefixes of addresses that have an IPv4 address in them: mapped (RFC 4291 §2.5.5.2), and what a
 * NAT64 makes of all of IPv4 (RFC 6052 §2.1), which would share one count otherwise.
 */
const WITH_IPV4: readonly string[] = [
  [0, 0, 0, 0, 0, 0xffff],
  [0x64, 0xff9b, 0, 0, 0, 0],
].map((groups) => groups.join())

/** Without zone and port, which some proxies forward, and without the IPv6 form of IPv4. */
export function plainAddress(address: string): string {
  // Most are, or are such an address as a server that listens on IPv6 too has it.
  const unmapped = address.startsWith('::ffff:') ? address.slice(7) : address
  if (isIPv4(unmapped)) return unmapped
  const unzoned = address
    .replace(/^\[(.*)\](:\d+)?$/, '$1')
    .replace(/^([\d.]+):\d+$/, '$1')
    .replace(/%.*$/, '')
  if (!isIPv6(unzoned)) return unzoned
  const groups = groupsOf(unzoned)
  if (!WITH_IPV4.includes(groups.slice(0, 6).join())) return unzoned
  const [high = 0, low = 0] = groups.slice(6)
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** The eight groups of an IPv6 address; the URL parser knows every way to write one. */
export function groupsOf(address: string): readonly number[] {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = canonical.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const gap = tail === undefined ? 0 : 8 - left.length - right.length
  const groups = [...left, ...Array<string>(gap).fill('0'), ...right]
  return groups.map((group) => Number.parseInt(group, 16))
}
