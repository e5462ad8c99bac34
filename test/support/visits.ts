import { expect } from 'chai'
import { defaultPolicy, type Policy } from '../../lib/domain/policy.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import { virtualAuthenticator } from '../../lib/testing/index.js'
import {
  type Browser,
  browserOf,
  type Enrolment,
  enrol,
  giveCode,
  passFirstStep,
  signIn,
} from './browser.js'
import { SECOND } from './clock.js'
import { ann, type Host, type HostOptions, type HostUser, makeHost } from './host.js'

/** Somebody at some point of the way in. */
export interface Visit {
  readonly host: Host
  readonly browser: Browser
  readonly enrolment: Enrolment
}

/** A host at which Ann has set up a second step; nobody is signed in. */
export async function enrolledVisit(options: HostOptions = {}): Promise<Visit> {
  const host = makeHost(options)
  return { host, enrolment: await enrol(host, ann), browser: browserOf(host) }
}

/** Ann has given the password, and no code. */
export async function pendingVisit(options: HostOptions = {}): Promise<Visit> {
  const visit = await enrolledVisit(options)
  await passFirstStep(visit.browser, ann).expect(200)
  return visit
}

/** Ann has passed both steps. Time moves on by one step, so that Ann's next code is a new one. */
export async function signedInVisit(options: HostOptions = {}): Promise<Visit> {
  const visit = await enrolledVisit(options)
  await signIn(visit.browser, ann, visit.enrolment)
  visit.host.system.advance(30 * SECOND)
  return visit
}

/** Another browser of the user's, after the first step. */
export async function pendingBrowser(host: Host, user: HostUser = ann): Promise<Browser> {
  const browser = browserOf(host)
  await passFirstStep(browser, user).expect(200)
  return browser
}

/** Replaces the policy document. */
export async function setPolicy(
  { store }: Pick<Host, 'store'>,
  change: Partial<Policy>,
): Promise<void> {
  const version = (await store.findPolicy())?.version ?? 0
  const policy = { ...defaultPolicy, ...change, version: version + 1, writeId: `w${version}` }
  expect(await store.writePolicy(policy, version)).to.equal(true)
}

/** The user's stored record. */
export async function recordOf({ store }: Host, userId = 'ann'): Promise<SecondStepRecord> {
  const record = await store.find(userId)
  if (record === null) throw new Error(`there is no record of ${userId}`)
  return record
}

/** A code that no step near the host's time has. */
export function wrongCodeOf({ system }: Host, { secret }: Pick<Enrolment, 'secret'>): string {
  const authenticator = virtualAuthenticator(secret)
  const steps = [-3, -2, -1, 0, 1, 2, 3]
  const right = steps.map((step) => authenticator.code(system.now() + step * 30 * SECOND))
  const guesses = Array.from({ length: 20 }, (_, index) => String(index * 50_021).padStart(6, '0'))
  return guesses.find((guess) => !right.includes(guess)) ?? ''
}

/** Gives so many wrong codes, each in the challenge of this browser. */
export async function missTimes(times: number, { host, browser, enrolment }: Visit): Promise<void> {
  for (let miss = 0; miss < times; miss += 1) {
    const answer = await giveCode(browser, wrongCodeOf(host, enrolment)).expect(401)
    expect(answer.body.code).to.equal('wrong-code')
  }
}
