import { isIP } from 'node:net'
import { checkNames } from '../errors/check-names.js'
import type { RelyingParty } from '../factors/ceremony.js'
import { check, isListOf, isText } from './check.js'
import { checkOrigin } from './check-origin.js'

const LIBRARY = '@simplewebauthn/server'

/**
 * Checks what browsers would refuse at the first ceremony (WebAuthn Level 3, §5.1.3).
 *
 * @param elsewhere the other origins of the app
 * @param resolve finds a package, and throws where it is not installed
 * @returns null where the host leaves the option out: it has no WebAuthn
 * @throws ConfigurationError
 */
export function checkWebauthn(
  webauthn: unknown,
  origin: string,
  elsewhere: readonly string[] = [],
  resolve: (name: string) => unknown = (name) => import.meta.resolve(name),
): RelyingParty | null {
  if (webauthn === undefined) return null
  check(
    typeof webauthn === 'object' && webauthn !== null && !Array.isArray(webauthn),
    '`webauthn` must be an object: {} or { rpId, origins, userVerification }',
  )
  checkNames(webauthn, ['rpId', 'origins', 'userVerification'], 'webauthn.')
  const given = webauthn as Readonly<Record<string, unknown>>
  const origins = checkOrigins(given.origins, origin)
  const rpId = checkRpId(given.rpId ?? new URL(origin).hostname, origins)
  const { userVerification = 'discouraged' } = given
  check(
    userVerification === 'discouraged' || userVerification === 'required',
    '`webauthn.userVerification` must be discouraged (a touch is enough) or required (a PIN or a fingerprint too)',
  )
  checkInstalled(resolve)
  if (given.origins === undefined && elsewhere.length > 0) warnOfOrigins(origin, elsewhere)
  return { rpId, origins, userVerification }
}

function checkOrigins(given: unknown, origin: string): readonly string[] {
  const isGiven = given !== undefined
  check(
    !isGiven || (isListOf(given, isText) && given.length > 0),
    '`webauthn.origins` must be a list of origins',
  )
  return (isListOf(given, isText) ? given : [origin]).map((one, index) => {
    const name = isGiven ? `webauthn.origins[${index}]` : 'origin'
    const { protocol, hostname } = new URL(checkOrigin(one, name))
    const isLocal = hostname === 'localhost' || hostname.endsWith('.localhost')
    check(
      protocol === 'https:' || isLocal,
      `\`webauthn\` needs https, or http://localhost: \`${name}\` is ${one}, where browsers have no keys`,
    )
    check(
      isIP(hostname.replace(/^\[(.*)\]$/, '$1')) === 0,
      `\`webauthn\` needs a domain, because keys are made for one: \`${name}\` is ${one}. ` +
        'For a try on this machine, write http://localhost with the port',
    )
    return one
  })
}

/** Forms of such an origin are accepted, so its keys seem to be too. */
function warnOfOrigins(origin: string, elsewhere: readonly string[]): void {
  process.emitWarning(
    `passport-second-step: security keys answer at ${origin} alone, not at ${elsewhere.join(', ')} of \`origins\`: name all of them in ` +
      '`webauthn.origins`, or only those with pages that ask for a key',
  )
}

function checkRpId(rpId: unknown, origins: readonly string[]): string {
  check(
    isText(rpId) && /^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(rpId) && isIP(rpId) === 0,
    '`webauthn.rpId` must be a domain in lower case such as acme.example, without scheme, port and path; ' +
      `it is ${JSON.stringify(rpId)}`,
  )
  for (const origin of origins) {
    const { hostname } = new URL(origin)
    check(
      hostname === rpId || (hostname.endsWith(`.${rpId}`) && rpId.includes('.')),
      `\`webauthn.rpId\` must be the domain of every origin, or a domain that each is part of: ${rpId} is neither ` +
        `for ${origin}. ${hintFor(hostname)}`,
    )
  }
  return rpId
}

function hintFor(hostname: string): string {
  const parent = hostname.split('.').slice(1).join('.')
  const example = parent.includes('.') ? `${hostname} or ${parent}` : hostname
  return `Write rpId: ${example}, or leave that origin out`
}

/** Without loading it: that takes as long as the rest of the start. */
function checkInstalled(resolve: (name: string) => unknown): void {
  let isInstalled = true
  try {
    resolve(LIBRARY)
  } catch {
    isInstalled = false
  }
  check(
    isInstalled,
    `\`webauthn\` needs the package ${LIBRARY}, which is not installed: npm install ${LIBRARY}@14`,
  )
}
