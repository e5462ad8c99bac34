import { UnavailableError } from '../errors/unavailable-error.js'
import {
  type Assertion,
  type CeremonyChecks,
  type Expected,
  KEY_ALGORITHMS,
  type KeyState,
  type RegisteredKey,
  type Registration,
} from '../factors/ceremony.js'

/** The parts of `@simplewebauthn/server` that are used. */
type Library = typeof import('@simplewebauthn/server')
type Helpers = typeof import('@simplewebauthn/server/helpers')

const PART = '@simplewebauthn/server'

/**
 * Checks what keys answer by `@simplewebauthn/server`. Loaded at the first answer, because it takes a process
 * as long and as much memory as everything else of the package.
 */
export function ceremonyChecks(): CeremonyChecks {
  return {
    assertion: async (given, publicKey, expected) => {
      const library = await load(() => import('@simplewebauthn/server'))
      return orNull(() => checkedAssertion(library, given, publicKey, expected))
    },
    registration: async (given, expected) => {
      const library = await load(() => import('@simplewebauthn/server'))
      const helpers = await load(() => import('@simplewebauthn/server/helpers'))
      return orNull(() => checkedRegistration(library, helpers, given, expected))
    },
  }
}

/** Where it can't be loaded, nothing can be checked: a refusal, and no wrong answer. */
async function load<T>(library: () => Promise<T>): Promise<T> {
  try {
    return await library()
  } catch (error) {
    throw new UnavailableError(PART, error)
  }
}

/** The library throws for each answer that is wrong, whatever is wrong with it. */
async function orNull<T>(check: () => Promise<T | null>): Promise<T | null> {
  try {
    return await check()
  } catch {
    return null
  }
}

async function checkedAssertion(
  { verifyAuthenticationResponse }: Library,
  { id, clientDataJSON, authenticatorData, signature }: Assertion,
  publicKey: string,
  { challenge, origins, rpId, userVerification }: Expected,
): Promise<KeyState | null> {
  const { verified, authenticationInfo } = await verifyAuthenticationResponse({
    response: {
      ...namedKey(id),
      response: { clientDataJSON, authenticatorData, signature },
    },
    expectedChallenge: challenge,
    expectedOrigin: [...origins],
    expectedRPID: rpId,
    requireUserVerification: userVerification === 'required',
    // It would compare the counter before it looks at the signature, so a forged answer would look like a copy.
    credential: { id, publicKey: bytesOf(publicKey), counter: 0 },
  })
  if (!verified) return null
  const { newCounter, credentialDeviceType, credentialBackedUp } = authenticationInfo
  return {
    counter: newCounter,
    backupEligible: credentialDeviceType === 'multiDevice',
    backedUp: credentialBackedUp,
  }
}

async function checkedRegistration(
  { verifyRegistrationResponse }: Library,
  helpers: Helpers,
  { id, clientDataJSON, attestationObject }: Registration,
  { challenge, origins, rpId, userVerification }: Expected,
): Promise<RegisteredKey | null> {
  const { verified, registrationInfo } = await verifyRegistrationResponse({
    response: {
      ...namedKey(id),
      response: {
        clientDataJSON,
        attestationObject: withoutAttestation(helpers, attestationObject),
      },
    },
    expectedChallenge: challenge,
    expectedOrigin: [...origins],
    expectedRPID: rpId,
    requireUserPresence: true,
    requireUserVerification: userVerification === 'required',
    supportedAlgorithmIDs: [...KEY_ALGORITHMS],
  })
  if (!verified) return null
  const { credential, credentialDeviceType, credentialBackedUp } = registrationInfo
  return {
    credentialId: credential.id,
    publicKey: Buffer.from(credential.publicKey).toString('base64url'),
    counter: credential.counter,
    backupEligible: credentialDeviceType === 'multiDevice',
    backedUp: credentialBackedUp,
  }
}

/**
 * The same without what the maker of the key says of it, which no set-up asks for. The library would look
 * it up: at an address of the visitor's choice, where a certificate names a list of revoked ones.
 */
function withoutAttestation(
  { decodeAttestationObject, isoCBOR }: Helpers,
  attestationObject: string,
): string {
  const authData = decodeAttestationObject(bytesOf(attestationObject)).get('authData')
  const bare = new Map<string, string | Uint8Array | Map<string, string>>([
    ['fmt', 'none'],
    ['attStmt', new Map<string, string>()],
    ['authData', authData],
  ])
  return Buffer.from(isoCBOR.encode(bare)).toString('base64url')
}

function namedKey(id: string) {
  return { id, rawId: id, type: 'public-key' as const, clientExtensionResults: {} }
}

/** In an `ArrayBuffer` of their own. */
function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(base64url, 'base64url'))
}
