import type { Request } from 'express'
import { ConfigurationError } from '../errors/configuration-error.js'

/** No visitor from outside has such an address: one that forwards is a proxy of the host's own network. */
const PRIVATE =
  /^(::1$|127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd][0-9a-f]{2}:|fe80:)/i

/** What proxies send in place of X-Forwarded-For. Express reads none of them. */
const UNREAD = ['Forwarded', 'X-Real-IP'] as const

/** Of documentation (RFC 5737, RFC 3849): nobody's proxy. */
const NOBODY = ['192.0.2.1', '2001:db8::1']
const FAR_AWAY = 100

const SET_IT =
  "app.set('trust proxy', 1), with the number of proxies in front of the app, or with their addresses"

/**
 * Refuses a request whose visitor's address cannot be told: Express does not trust who forwards it,
 * or trusts everybody. Neither may it be counted under nothing, or one header would lift the limits;
 * nor under the proxy, or one visitor would use up the tries of all.
 *
 * @param address as Express has it, in canonical form
 * @param ignore the host's word that clients alone send such headers
 * @throws ConfigurationError naming `trust proxy`
 */
export function checkForwarding(req: Request, address: string, ignore: boolean): void {
  const forwarded = forwardedFor(req)
  const trusted = req.ips.length
  if (trusted > 0 && trustsEverybody(req)) {
    throw new ConfigurationError(
      '`trust proxy` trusts every address, so any client chooses by X-Forwarded-For the address that its ' +
        `tries are counted under. Set the number of proxies or their addresses: ${SET_IT}.`,
    )
  }
  if (ignore) return
  const unread = forwarded > 0 ? undefined : UNREAD.find((name) => req.get(name))
  if (unread !== undefined) {
    throw new ConfigurationError(
      `a request has ${unread} and no X-Forwarded-For, the one header of a proxy's that Express reads: ` +
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

/** How many addresses X-Forwarded-For has, read as Express reads it. */
function forwardedFor(req: Request): number {
  const addresses = req.get('x-forwarded-for')?.split(',') ?? []
  return addresses.filter((address) => /[^ ]/.test(address)).length
}

function trustsEverybody(req: Request): boolean {
  const trusts: unknown = req.app.get('trust proxy fn')
  return typeof trusts === 'function' && NOBODY.every((address) => trusts(address, FAR_AWAY))
}
