import { readAddress } from '../domain/address.js'
import type { MailResetRefusal } from '../domain/event.js'
import {
  askMailReset,
  delayedMailReset,
  dropMailReset,
  endMailReset,
  type MailReset,
  shortenMailReset,
} from '../domain/mail-reset.js'
import type { PendingLogin } from '../domain/pending-login.js'
import type { SecondStepRecord } from '../domain/record.js'
import { mailResetFor } from '../domain/rules-of-user.js'
import { type Admission, stillAdmitted, type UserContext } from '../domain/standing.js'
import { NO_REQUEST, type RequestInfo } from './announcer.js'
import { ChangedAddress } from './changed-address.js'
import { type LostLinkParts, LostLinks, type LostLogin, waitsForCode } from './lost-links.js'
import { heldUntilOf, type MailResetUser } from './mail-reset-user.js'
import type { LinkMailer } from './mails.js'

/** A request for a reset by mail: the login and the address. */
export interface LostRequest extends LostLogin {
  /** In the form of `readAddress`. */
  readonly address: string
}

/** The parts that `Lost` needs. */
export interface LostParts extends LostLinkParts {
  readonly mails: LinkMailer
  /** Milliseconds that a reset waits before its link can be used. */
  readonly delay: number
  /** Milliseconds between an answer and the work that it starts. Default: 100 to 400, at random. */
  readonly pause?: () => number
}

const SHORTEST_PAUSE = 100
const LONGER_AT_MOST = 300

/** Resets by mail: "Lost your code?" */
export class Lost {
  readonly links: LostLinks
  readonly #parts: LostParts
  readonly #changed: ChangedAddress
  readonly #underWay = new Set<Promise<void>>()

  constructor(parts: LostParts) {
    this.links = new LostLinks(parts)
    this.#changed = new ChangedAddress(parts)
    this.#parts = parts
  }

  /** Milliseconds that a reset waits before its link can be used. */
  get delay(): number {
    return this.#parts.delay
  }

  /** Whether the rules leave this user a reset by mail. */
  isOpenTo(userContext: UserContext): boolean {
    return mailResetFor(userContext, this.#parts.mountedRules.rules)
  }

  /** Whether a mail may reset this user. @throws UnavailableError where the host cannot say */
  async mayReset(userId: string): Promise<boolean> {
    return (await (await this.#parts.findUser(userId))?.allowed()) === true
  }

  /**
   * A digest by which a login recognises an address that it named before, so that the session need
   * not hold the address.
   */
  async markOf(address: string, { id, userId }: PendingLogin): Promise<string> {
    const [mark] = await this.#parts.tokens.addressDigests(address, userId, id)
    return mark
  }

  /**
   * Starts the work of a request. The requester already has the answer and must learn nothing more,
   * so this returns and throws nothing. It reports failures to the operator.
   */
  ask(request: LostRequest): void {
    const asking = this.#pause()
      .then(() => this.#ask(request))
      .catch((error: unknown) => this.#parts.failureReporter.report(error))
      .finally(() => this.#underWay.delete(asking))
    this.#underWay.add(asking)
  }

  /**
   * A right address costs more work than a wrong one. If the work began at once, the time of the
   * visitor's next request would reveal that (promise 4).
   */
  #pause(): Promise<void> {
    const { pause = () => this.#somewhile() } = this.#parts
    return new Promise((resolve) => setTimeout(resolve, pause()))
  }

  #somewhile(): number {
    const [random = 0] = this.#parts.system.random(1)
    return SHORTEST_PAUSE + (random / 255) * LONGER_AT_MOST
  }

  /** Resolves when all started work is done or has failed. Never rejects. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  async #ask(request: LostRequest): Promise<void> {
    const { records, limits, findUser, system } = this.#parts
    const { userId, id } = request.pending
    if (!(await limits.mayAsk(id))) return
    const user = await findUser(userId)
    if (user === null) return
    const record = await records.find(userId)
    const goesOn = await this.#changed.endUnlessSame(record, user.account.email)
    const refusal = await refusalOf(user, request.address)
    if (refusal !== null) return this.#refuse(request, refusal)
    if (goesOn && delayedMailReset(record, system.now()) !== null) {
      return this.#shorten(request, user)
    }

    const places = await limits.takeForMail(userId)
    if (places === null) return this.#refuse(request, 'too-many-mails')
    const mailed = await this.#begin(request, user).catch(async (error: unknown) => {
      await places.giveBack()
      throw error
    })
    if (!mailed) await places.giveBack()
  }

  /** A repeated request sends nothing. It only notices if the host has lifted its hold. */
  async #shorten(request: LostRequest, user: MailResetUser): Promise<void> {
    const { records, delay, system } = this.#parts
    const heldUntil = await heldUntilOf(user, system.now())
    await records.change(request.pending.userId, request.requestInfo, (record, now) =>
      waitsForCode(request, record, this.#parts.mountedRules.rules, now)
        ? shortenMailReset(record, { delay, heldUntil }, now)
        : { record, answer: null, events: [] },
    )
  }

  /** @returns whether a reset was begun, and its mail */
  async #begin({ address, ...request }: LostRequest, user: MailResetUser): Promise<boolean> {
    const { records, tokens, mails, delay, system } = this.#parts
    const { pending, requestInfo } = request
    const { userId } = pending
    const id = tokens.newId()
    const { token, secret } = await tokens.newToken(userId)
    const [addressDigest] = await tokens.addressDigests(address, userId, id)
    const heldUntil = await heldUntilOf(user, system.now())
    const begun = await records
      .change<MailReset | null>(userId, requestInfo, async (record, now) => {
        if (!waitsForCode(request, record, this.#parts.mountedRules.rules, now))
          return { record, answer: null, events: [] }
        const [digest] = await tokens.digests(secret, record, { id, addressDigest })
        const { ip, userAgent } = requestInfo
        const notBefore = Math.max(now + delay, heldUntil)
        const { keyId } = tokens
        const asked = { id, keyId, addressDigest, digest, notBefore, ip, userAgent }
        return askMailReset(record, asked, now)
      })
      .catch(async (error: unknown) => {
        await this.#drop(userId, id)
        throw error
      })
    if (begun === null) return false
    // The address may have changed since the look-up, and the host may have reported it before
    // there was a reset to end.
    const now = await this.#parts.findUser(userId)
    if (now === null || !(await tokens.isFor(now.account.email, userId, begun))) {
      await this.#drop(userId, id)
      return false
    }
    const { usableAt, expiresAt } = begun
    const detail = { usableAt: new Date(usableAt), expiresAt: new Date(expiresAt) }
    const event = { type: 'mail-reset-asked', ...factsOf(userId, begun), detail } as const
    const link = { token, account: user.account }
    const sent = await mails.sendLink(event, requestInfo.languages ?? [], link)
    // A wait without a mail to the owner would warn nobody, so the reset ends. The user can ask
    // again.
    if (!sent && usableAt > begun.askedAt) await this.#drop(userId, id)
    return true
  }

  /** The write may have taken place although it is not known, or not in the audit log. */
  async #drop(userId: string, id: string): Promise<void> {
    await this.#parts.records.change(userId, NO_REQUEST, (record) => ({
      record: dropMailReset(record, id),
      answer: undefined,
      events: [],
    }))
  }

  async #refuse({ pending, requestInfo }: LostRequest, why: MailResetRefusal): Promise<void> {
    if (!(await this.#parts.limits.mayTellRefusal(pending.userId))) return
    const event = { type: 'mail-reset-refused', method: null, detail: { why } } as const
    await this.#parts.announcer.announce(pending.userId, [event], requestInfo)
  }

  /**
   * Ends a reset that was asked for at another address than the signed-in user has now.
   *
   * @param email as the session's user has it. A host that keeps whole users in the session may be
   *   behind, so another one is looked up before it counts
   * @returns whether the record has changed
   */
  async endIfMoved(record: SecondStepRecord, email: string | null): Promise<boolean> {
    if (!(await this.#changed.isOf(record, email))) return false
    const user = await this.#parts.findUser(record.userId)
    if (user === null || !(await this.#changed.isOf(record, user.account.email))) return false
    await this.#changed.end(record)
    return true
  }

  /** Ends a waiting reset. Does not tell whether there was one. */
  cancel(
    admission: Admission & UserContext,
    requestInfo: RequestInfo,
  ): Promise<'cancelled' | 'sign-in-again'> {
    const { policy, subject } = admission
    return this.#parts.records.change<'cancelled' | 'sign-in-again'>(
      admission.record.userId,
      requestInfo,
      (record, now) =>
        stillAdmitted(admission, { record, policy, subject }, now)
          ? { ...endMailReset(record, now), answer: 'cancelled' }
          : { record, answer: 'sign-in-again', events: [] },
    )
  }
}

/** Who asked and when, for every mail with a link: the owner decides by it. */
export function factsOf(userId: string, { askedAt, ip, userAgent }: MailReset) {
  const actor = { kind: 'user', id: userId } as const
  const nothing = { method: null, reason: null }
  return { ...nothing, actor, user: userId, at: new Date(askedAt), ip, userAgent }
}

async function refusalOf(
  { account, allowed }: MailResetUser,
  address: string,
): Promise<MailResetRefusal | null> {
  if (readAddress(account.email ?? undefined) !== address) return 'address'
  return (await allowed()) ? null : 'not-allowed'
}
