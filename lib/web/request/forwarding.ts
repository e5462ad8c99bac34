import { isIP } from 'node:net'
import type { Request } from 'express'
import { ConfigurationError } from '../../errors/configuration-error.js'
import { plainAddress } from './plain-address.js'
import { trustedHops } from './trust-proxy.js'

/**
 * No visitor from outside has such an address, so a peer with one that forwards is a proxy in the
 * host's own network.
 */
const PRIVATE =
  /^(::1$|127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd][0-9a-f]{2}:|fe80:)/i

/**
 * Headers by which a proxy shows itself: with the visitor's address, and without. Express learns the address from
 * none of them.
 */
const UNREAD = [
  ...['Forwarded', 'X-Real-IP', 'X-Client-IP', 'X-Cluster-Client-IP', 'True-Client-IP'],
  ...['CF-Connecting-IP', 'Fastly-Client-IP', 'Fly-Client-IP', 'X-Azure-ClientIP'],
  ...['Via', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Forwarded-Port', 'X-Forwarded-Server'],
  ...['X-Forwarded-Scheme', 'X-Forwarded-Ssl', 'X-Forwarded-Prefix', 'Front-End-Https'],
] as const

const SET_IT =
  "app.set('trust proxy', 1), with the number of proxies in front of the app, or with their addresses"

/**
 * Refuses a request if the visitor's address is unknown, because Express does not trust the proxy,
 * or trusts more than the host's proxies. Without an address, one header would lift the limits.
 * Under the proxy's address, one visitor could use up everybody's tries. And a client must not
 * choose the address.
 *
 * @param address as Express has it, in canonical form
 * @param ignore the host's word that clients alone send such headers
 * @throws ConfigurationError naming `trust proxy`
 */
export function checkForwarding(req: Request, address: string, ignore: boolean): void {
  checkTrusted(req)
  if (!ignore) checkUntrusted(req, address, forwardedFor(req).length)
}

/**
 * Express must trust only proxies, or a client could choose its own address.
 *
 * @throws ConfigurationError naming `trust proxy`
 */
export function checkTrusted(req: Request): void {
  const forwarded = forwardedFor(req).length
  const hops = trustedHops(req.app)
  const passedBy = forwarded < hops && cameFromOutside(req)
  if (hops === Number.POSITIVE_INFINITY && (req.ips.length > 0 || passedBy)) {
    throw new ConfigurationError(
      '`trust proxy` trusts every address, or too many of them, so a client chooses by X-Forwarded-For the ' +
        `address that its tries are counted under. Set the number of proxies or their addresses: ${SET_IT}.`,
    )
  }
  if (passedBy) {
    throw new ConfigurationError(
      `\`trust proxy\` counts ${hops} in front of the app, but a request came through ${forwarded}: any client that does so ` +
        'too chooses by X-Forwarded-For the address that its tries are counted under. Set the number of proxies ' +
        "that there are (app.set('trust proxy', false) for none), and let nobody pass them by.",
    )
  }
}

/**
 * A client inside the host's network may bypass proxies: a health check, a colleague, a developer.
 */
function cameFromOutside(req: Request): boolean {
  const chain = [req.socket.remoteAddress ?? '', ...forwardedFor(req)]
  return chain.map(plainAddress).some((address) => isIP(address) !== 0 && !PRIVATE.test(address))
}

/** A proxy that forwards a request must be trusted, or everybody behind it shares one address. */
function checkUntrusted(req: Request, address: string, forwarded: number): void {
  const trusted = req.ips.length
  const unread = forwarded > 0 ? undefined : UNREAD.find((name) => req.get(name))
  if (unread !== undefined) {
    throw new ConfigurationError(
      `a request has ${unread} and no X-Forwarded-For, the one header by which a proxy tells Express who visits: ` +
        `let the proxy send X-Forwarded-For, and set ${SET_IT}. ${orIgnore(unread)}`,
    )
  }
  if (forwarded > 0 && (trusted === 0 || (forwarded > trusted && PRIVATE.test(address)))) {
    throw new ConfigurationError(
      `${address || 'a Unix socket'} forwards a request (X-Forwarded-For), but Express does not trust it, so ` +
        "everybody behind it would share one address's tries. If it is your proxy, set " +
        `${SET_IT}. ${orIgnore('X-Forwarded-For')}`,
    )
  }
}

function orIgnore(header: string): string {
  return (
    `If the app has no proxy, clients send ${header}: say createSecondStep({ …, ignoreForwardedFor: true }), ` +
    'and the address that connects counts.'
  )
}

/** The addresses of X-Forwarded-For, read as Express reads it. */
function forwardedFor(req: Request): readonly string[] {
  const addresses = req.get('x-forwarded-for')?.split(',') ?? []
  return addresses.map((address) => address.trim()).filter(Boolean)
}
