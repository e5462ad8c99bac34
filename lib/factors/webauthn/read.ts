import type { Assertion, Registration } from '../ceremony.js'
import type { Form } from '../factor.js'
import { type KeyTransport, LONGEST_ID, TRANSPORTS } from './kept.js'

/** What a browser has given: the signature of a known key, or a new key. */
export type GivenCredential = (
  | (Assertion & {
      readonly kind: 'assertion'
      /** The handle of the user, if the key told it. */
      readonly userHandle: string | null
    })
  | (Registration & { readonly kind: 'registration'; readonly transports: readonly KeyTransport[] })
) &
  ClientData

/** The members of the client data that are read before it is checked. */
interface ClientData {
  readonly challenge: string
  /** The page was in a frame of another origin. */
  readonly crossOrigin: boolean
}

/** No body is longer; what a host has parsed may be. */
const LONGEST = 4096

/**
 * Reads the field `credential`: an `AuthenticationResponseJSON` or a `RegistrationResponseJSON`
 * (WebAuthn Level 3, §5.1.8), as an object or as its text.
 */
export function readCredential({ credential }: Form): GivenCredential | undefined {
  const given = typeof credential === 'string' ? parsed(credential) : credential
  const id = bytesIn(given, 'id', LONGEST_ID)
  const response = own(given, 'response')
  const clientDataJSON = bytesIn(response, 'clientDataJSON')
  if (id === null || own(given, 'rawId') !== id || own(given, 'type') !== 'public-key') {
    return undefined
  }
  if (clientDataJSON === null) return undefined
  const clientData = clientDataOf(clientDataJSON)
  if (clientData === null) return undefined
  const attestationObject = bytesIn(response, 'attestationObject')
  if (attestationObject !== null) {
    const transports = transportsIn(own(response, 'transports'))
    const given = { id, clientDataJSON, attestationObject, transports }
    return { kind: 'registration', ...given, ...clientData }
  }
  const authenticatorData = bytesIn(response, 'authenticatorData')
  const signature = bytesIn(response, 'signature')
  const userHandle = handleIn(response)
  if (authenticatorData === null || signature === null || userHandle === undefined) return undefined
  const signed = { id, clientDataJSON, authenticatorData, signature, userHandle }
  return { kind: 'assertion', ...signed, ...clientData }
}

function clientDataOf(clientDataJSON: string): ClientData | null {
  const data = parsed(Buffer.from(clientDataJSON, 'base64url').toString())
  const challenge = bytesIn(data, 'challenge')
  return challenge === null ? null : { challenge, crossOrigin: own(data, 'crossOrigin') === true }
}

/** Null: the key has told none, as one that stores no users. Undefined: it is malformed. */
function handleIn(response: unknown): string | null | undefined {
  const handle = own(response, 'userHandle')
  if (handle === undefined || handle === null || handle === '') return null
  return bytesIn(response, 'userHandle') ?? undefined
}

/** Those that the standard knows: a hint for browsers, and nothing else. */
function transportsIn(given: unknown): readonly KeyTransport[] {
  const listed: readonly unknown[] = Array.isArray(given) ? given : []
  return TRANSPORTS.filter((transport) => listed.includes(transport))
}

/** A member in base64url. Null for anything else. */
function bytesIn(value: unknown, name: string, longest = LONGEST): string | null {
  const bytes = own(value, name)
  if (typeof bytes !== 'string' || bytes.length > longest) return null
  return /^[\w-]+$/.test(bytes) ? bytes : null
}

/** A member of its own: a prototype gives none. */
function own(value: unknown, name: string): unknown {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined
}

function parsed(text: string): unknown {
  if (text.length > LONGEST) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
