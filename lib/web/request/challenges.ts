import type { Request } from 'express'
import { authenticatorsAsked } from '../../domain/accepted-methods.js'
import { askedKeys } from '../../domain/authenticators.js'
import type { SecondStepRecord } from '../../domain/record.js'
import type { AskedChallenge } from '../../factors/ceremony.js'
import { CHALLENGE_LASTS } from '../../factors/challenge.js'
import { isGoodUntil } from '../../factors/clock.js'
import { lastUseOf } from '../../factors/webauthn/kept.js'
import { BYTES_OF_A_CHALLENGE, makeChallenge } from '../../factors/webauthn/make.js'
import {
  type PublicKeyCredentialRequestOptionsJSON,
  requestOptions,
} from '../../factors/webauthn/page.js'
import type { Exchange } from './handler.js'
import {
  type ChallengePurpose,
  type SessionChallenge,
  saveSession,
  updateSecondStep,
} from './session.js'
import type { Site } from './site.js'
import type { PendingVisitor, SignedInVisitor } from './visitor.js'

type Asked = Pick<Exchange<PendingVisitor | SignedInVisitor>, 'site' | 'req' | 'visitor'>

/**
 * Puts a challenge to the user's keys and keeps it in the session. Null: they have none that can answer and counts, or the
 * host has no WebAuthn. A second tab gets the same challenge, while half of its time is left.
 */
export async function askKeys({
  site,
  req,
  visitor,
}: Asked): Promise<PublicKeyCredentialRequestOptionsJSON | null> {
  const { webauthn, system } = site
  const keys = askedKeys(authenticatorsAsked(visitor), webauthn)
  if (webauthn === null || keys.length === 0) return null
  const now = system.now()
  const present = askedIn({ site, req, visitor })
  const goesOn = present !== null && present.until - now > CHALLENGE_LASTS / 2
  const challenge = goesOn ? present : await newChallenge({ site, req, visitor }, webauthn, now)
  return requestOptions(challenge, webauthn, keys, now)
}

async function newChallenge(
  { site, req, visitor }: Asked,
  webauthn: NonNullable<Site['webauthn']>,
  now: number,
): Promise<AskedChallenge> {
  const challenge = makeChallenge(site.system.random(BYTES_OF_A_CHALLENGE), webauthn, now)
  const kept = { ...challenge, uses: usesOf(visitor.record), owner: ownerId(visitor) }
  const { challenges } = req.session.secondStep ?? {}
  updateSecondStep(req, { challenges: { ...challenges, [purposeOf(visitor)]: kept } })
  await saveSession(req)
  return challenge
}

function usesOf({ authenticators }: SecondStepRecord): Readonly<Record<string, number>> {
  return Object.fromEntries(
    authenticators.flatMap((one) => (one.type === 'webauthn' ? [[one.id, lastUseOf(one)]] : [])),
  )
}

/** The challenge that an answer of this visitor's keys is to be for, or null. */
export function askedIn({ site, req, visitor }: Asked): AskedChallenge | null {
  const kept = keptIn(req, purposeOf(visitor))
  if (kept === undefined || kept.owner !== ownerId(visitor)) return null
  const { challenge, until, userVerification, uses } = kept
  const isLive = isGoodUntil(until, CHALLENGE_LASTS, site.system.now())
  return isLive ? { challenge, until, userVerification, ...(uses && { uses }) } : null
}

/** The challenge was answered. Whatever the verdict, it gets no other answer. */
export async function forgetAsked({ req, visitor }: Asked): Promise<void> {
  const purpose = purposeOf(visitor)
  if (keptIn(req, purpose) === undefined) return
  const { [purpose]: _, ...others } = req.session.secondStep?.challenges ?? {}
  updateSecondStep(req, { challenges: others })
  await saveSession(req)
}

/** What was in the session before may be of any shape. */
function keptIn(req: Request, purpose: ChallengePurpose): SessionChallenge | undefined {
  const kept: unknown = req.session.secondStep?.challenges?.[purpose]
  const { challenge, until, owner } = Object(kept) as Partial<SessionChallenge>
  const isWhole =
    typeof challenge === 'string' && typeof until === 'number' && typeof owner === 'string'
  return isWhole ? (kept as SessionChallenge) : undefined
}

function purposeOf({ kind }: Asked['visitor']): ChallengePurpose {
  return kind === 'pending' ? 'login' : 'fresh'
}

function ownerId(visitor: Asked['visitor']): string {
  return visitor.kind === 'pending' ? visitor.pending.id : (visitor.stamp?.id ?? '')
}
