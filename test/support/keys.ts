import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server'
import { getJson, postJson } from './answers.js'
import { type Browser, browserOf, passFirstStep } from './browser.js'
import { ann, type Host, type HostOptions, type HostUser, makeHost } from './host.js'
import { type KeyMaking, type SoftwareKey, softwareKey, type Twist } from './software-key.js'

export const ORIGIN = 'https://acme.example'
export const CHALLENGE = '/second-step/challenge'
export const SETUP = '/second-step/setup'
export const FRESH = '/second-step/fresh'

/** A host whose users may have security keys. */
export function hostWithKeys(given: HostOptions = {}): Host {
  return makeHost({ ...given, options: { origin: ORIGIN, webauthn: {}, ...given.options } })
}

/** What `/setup` asks of a new key. */
export async function creationOf(
  browser: Browser,
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  return (await getJson(browser, `${SETUP}?type=webauthn`).expect(200)).body.options
}

/** What the challenge asks of the user's keys. */
export async function askedAt(
  browser: Browser,
  path: string = CHALLENGE,
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  return (await getJson(browser, path).expect(200)).body.webauthn
}

/** Signs a user in who has no second step yet, and sets up this key and nothing else. */
export async function setUpKey(
  host: Host,
  { user = ann, making = {} }: { user?: HostUser; making?: Partial<KeyMaking> } = {},
): Promise<{ key: SoftwareKey; browser: Browser; backupCodes: readonly string[] }> {
  const browser = browserOf(host)
  await passFirstStep(browser, user)
  const key = softwareKey({ origin: ORIGIN, ...making })
  const credential = key.register(await creationOf(browser))
  const confirmed = await postJson(browser, SETUP, { credential }).expect(200)
  return { key, browser, backupCodes: confirmed.body.backupCodes }
}

/** A browser in which this user has passed the first step. */
export async function pendingOf(host: Host, user: HostUser = ann): Promise<Browser> {
  const browser = browserOf(host)
  await passFirstStep(browser, user)
  return browser
}

/** Answers the challenge of a pending login. */
export async function answerWith(browser: Browser, key: SoftwareKey, twist: Twist = {}) {
  return postAnswer(browser, key.sign(await askedAt(browser), twist))
}

export function postAnswer(browser: Browser, credential: AuthenticationResponseJSON) {
  return postJson(browser, CHALLENGE, { credential })
}
