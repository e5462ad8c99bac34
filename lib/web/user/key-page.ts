import type { Request, Response } from 'express'
import type { Authenticator } from '../../factors/factors.js'
import { shownHotp } from '../../factors/hotp/page.js'
import { labelOf } from '../../factors/otp/otpauth-uri.js'
import { shownTotp } from '../../factors/totp/page.js'
import { creationOptions } from '../../factors/webauthn/page.js'
import type { Account } from '../../service/accounts.js'
import type { ShownChallenge, ShownKey, ShownSecret } from '../../service/shown-key.js'
import type { PageProblem } from '../../text/pages.js'
import type { Exchange } from '../request/handler.js'
import { typedName } from '../request/name-field.js'
import { wantsJson } from '../request/negotiation.js'
import { typedIn } from '../request/proof-field.js'
import type { Site, Words } from '../request/site.js'
import type { SignedInVisitor } from '../request/visitor.js'
import { redirect, sendJson, showPage } from '../routing/respond.js'
import { qrSvg } from './qr.js'

/** A key as JSON shows it, the same at every route that shows one. */
export async function sendKey(
  site: Words & Pick<Site, 'system'>,
  res: Response,
  account: Account,
  shown: ShownKey,
): Promise<void> {
  const label = labelOfAccount(account)
  if (shown.secret === null) {
    const options = optionsOf(site, shown, label)
    const expiresAt = new Date(shown.expiresAt).toISOString()
    sendJson(res, { type: shown.parameters.type, options, expiresAt })
    return
  }
  const { parameters, secret, expiresAt } = shown
  const { issuer, ...key } = shownKey(secret, parameters, { issuer: site.issuer, account: label })
  sendJson(res, {
    type: parameters.type,
    issuer,
    account: label,
    secret: key.secret,
    uri: key.uri,
    qr: await qrSvg(key.uri),
    algorithm: key.algorithm,
    digits: key.digits,
    period: key.period,
    expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
  })
}

/** What the page of a new key gives to the browser. */
function optionsOf(
  { issuer, system }: Pick<Site, 'issuer' | 'system'>,
  { parameters, others }: ShownChallenge,
  account: string,
) {
  return creationOptions(parameters, { issuer, account }, others, system.now())
}

/** A set-up was begun by a proof: its key in JSON; in the browser, the page that shows it. */
export async function answerWithNewKey(
  { site, req, res, visitor }: Exchange<SignedInVisitor>,
  key: ShownKey,
): Promise<void> {
  if (wantsJson(req)) await sendKey(site, res, visitor.account, key)
  else redirect(res, `${site.paths.secondStep}/setup`)
}

/**
 * The purpose of the key's page: the first set-up, a change of key, one more device, or showing the live key
 * again.
 */
export type KeyPurpose = 'setup' | 'change-key' | 'add' | 'show-key'

/** What a page of a set-up says beside its key. */
interface Shown {
  readonly cancel: boolean
  readonly problem: PageProblem | null
  readonly status: number
  /** The types that the user may set up. */
  readonly types: readonly Authenticator['type'][]
  /** Whether the policy asks this user for codes at all. Default: true. */
  readonly asked?: boolean
}

/** The same key as a page, with the field that confirms it unless it is live. */
export async function keyPage(
  site: Site,
  req: Request,
  res: Response,
  account: Account,
  { parameters, secret }: ShownSecret,
  shown: Shown & { purpose: KeyPurpose },
): Promise<void> {
  const label = labelOfAccount(account)
  const key = shownKey(secret, parameters, { issuer: site.issuer, account: label })
  const data = {
    problem: shown.problem,
    type: parameters.type,
    otherTypes: shown.types.filter((type) => type !== parameters.type),
    purpose: shown.purpose,
    account: label,
    issuer: key.issuer,
    key: (key.secret.match(/.{1,4}/g) ?? []).join(' '),
    uri: key.uri,
    qr: await qrSvg(key.uri),
    typed: typedIn(req, shown.problem).typed,
    name: shown.problem === null ? '' : typedName(req),
    cancel: shown.cancel,
    asked: shown.asked !== false,
    clock: shown.problem?.clockOff === undefined ? null : new Date(site.system.now()),
  }
  await showPage(site, req, res, 'setup', data, shown.status)
}

/** The page on which a security key or passkey is registered: its script gets the challenge as JSON. */
export async function securityKeyPage(
  site: Site,
  req: Request,
  res: Response,
  {
    purpose,
    cancel,
    problem,
    status,
    types,
    asked = true,
  }: Shown & { purpose: Exclude<KeyPurpose, 'show-key'> },
): Promise<void> {
  const name = problem === null ? '' : typedName(req)
  const data = {
    problem,
    purpose,
    name,
    otherTypes: types.filter((type) => type !== 'webauthn'),
    cancel,
    asked,
  }
  await showPage(site, req, res, 'setup-key', data, status)
}

function shownKey(
  secret: Uint8Array,
  parameters: ShownSecret['parameters'],
  names: { readonly issuer: string; readonly account: string },
) {
  return parameters.type === 'hotp'
    ? shownHotp(secret, parameters, names)
    : shownTotp(secret, parameters, names)
}

/** The account's name as the authenticator shows it. */
function labelOfAccount({ email, name, id }: Account): string {
  const labels = [email, name, id].map((known) => labelOf(known ?? ''))
  return labels.find((label) => label !== '') ?? ''
}
