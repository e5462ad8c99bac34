import type { Subject } from '../domain/policy.js'
import { hasWeakSeed, keyNameOf } from '../factors/hardware-token.js'
import type { TokenEntry } from '../tokens/entry.js'
import { SeenSerials } from '../tokens/seen-serials.js'
import { type App, userOf } from './app.js'
import { eachAtOnce } from './at-once.js'
import { messageOf } from './message.js'
import type { Progress } from './progress.js'
import { faultText } from './token-faults.js'
import type { UsersBySerial } from './token-files.js'

/** Tokens that are assigned at the same time. */
const AT_ONCE = 16
/**
 * So many errors in a row are not of the tokens: the rest would fail too, each after a time-out. They
 * are more than begin at once, so that one moment without an answer ends nothing.
 */
const ERRORS_AT_MOST = 50
/** Mails that may be on their way before the next tokens wait for them. */
const TOKENS_A_BATCH = 200
/** More are counted, and not held. */
const FAULTS_TOLD = 1000

export interface LineFault {
  readonly line: number
  /** Without a full stop. */
  readonly reason: string
}

/** The outcome of an import, or of one that would be. */
export interface Import {
  assigned: number
  alreadyThere: number
  /** Tokens that `--users` names nobody for. */
  passedOver: number
  failed: number
  /** The first of those that failed. */
  readonly faults: LineFault[]
  /** Tokens with a seed of less than 160 bits, and the line of one. */
  weak: number
  weakLine: number | null
  /** Assigned tokens after which few wrong codes a day lock their user, and the line of one. */
  fewTries: number
  fewTriesLine: number | null
  readonly notices: LineFault[]
  /** The line at which it was given up. */
  stoppedAt: number | null
  /** The first line that was left out after an interruption. */
  interruptedAt: number | null
}

type TokenLine = Extract<TokenEntry, { kind: 'token' }>

export interface ImportOptions {
  /** By serial number, from a file of their own; they count before those of the tokens. */
  readonly users: UsersBySerial | null
  readonly dryRun: boolean
  /** Whether also tokens are assigned that were removed. */
  readonly again: boolean
}

/**
 * Assigns the tokens of a file to their users. What fails with one does not stop the others. Where the signal is
 * aborted, what has begun is finished, and the rest left out.
 */
export async function importTokens(
  app: App,
  entries: AsyncIterable<TokenEntry>,
  {
    told,
    signal,
    ...options
  }: ImportOptions & { readonly told: Progress; readonly signal: AbortSignal },
): Promise<Import> {
  const done = emptyImport()
  let [errors, begun] = [0, 0]
  // A dry run binds nothing: of two tokens with one key, the store tells neither.
  const seenKeys = options.dryRun ? new SeenSerials() : null
  await eachAtOnce(entries, AT_ONCE, async (entry) => {
    if (signal.aborted) {
      done.interruptedAt = Math.min(done.interruptedAt ?? entry.line, entry.line)
      return false
    }
    if (entry.kind === 'notice') {
      note(done, { line: entry.line, reason: NOTICES[entry.notice] })
      return true
    }
    told.step()
    if (entry.kind === 'fault') {
      fail(done, { line: entry.line, reason: faultText(entry.fault) })
      return true
    }
    begun += 1
    if (begun % TOKENS_A_BATCH === 0) await app.mails?.settled()
    try {
      await assign(app, entry, { ...options, seenKeys }, done)
      errors = 0
    } catch (error) {
      errors += 1
      fail(done, { line: entry.line, reason: withoutEnd(messageOf(error)) })
      if (errors >= ERRORS_AT_MOST) done.stoppedAt ??= entry.line
    }
    return done.stoppedAt === null
  })
  done.faults.sort((one, other) => one.line - other.line)
  return done
}

async function assign(
  app: App,
  { line, token, user: ofFile }: TokenLine,
  { users, dryRun, again, seenKeys }: ImportOptions & { readonly seenKeys: SeenSerials | null },
  done: Import,
): Promise<void> {
  const id = users?.take(token.serial) ?? ofFile
  if (id === null) {
    if (users === null) fail(done, { line, reason: 'the token has no user: give --users FILE' })
    else done.passedOver += 1
    return
  }
  const user = await knownUser(app, id)
  if (user === null) {
    fail(done, { line, reason: 'there is no user with this id' })
    return
  }
  const { administration, assignedTokens } = app.site
  if (!again && (await assignedTokens.wasRemoved(token))) {
    fail(done, { line, reason: 'the token was removed: give --again to assign it again' })
    return
  }
  const change = { ...user, requestInfo: app.requestInfo }
  const answer = dryRun
    ? await assignedTokens.preview(change, token)
    : await assignedTokens.assign(change, token)
  if (answer.kind !== 'done') {
    const refusal = { action: 'token', code: answer.kind } as const
    if (!dryRun) await administration.refused(user.userId, app.requestInfo, refusal)
    fail(done, { line, reason: REFUSED[answer.kind] })
    return
  }
  const sameKeyAt = answer.changed ? seenKeys?.see(keyNameOf(token), line) : null
  if (typeof sameKeyAt === 'number') {
    fail(done, { line, reason: REFUSED['seed-in-use'] })
    return
  }
  if (answer.changed) done.assigned += 1
  else done.alreadyThere += 1
  if (answer.changed && answer.result.fewMissesADay !== null) {
    done.fewTries += 1
    done.fewTriesLine = Math.min(done.fewTriesLine ?? line, line)
  }
  if (!hasWeakSeed(token)) return
  done.weak += 1
  done.weakLine = Math.min(done.weakLine ?? line, line)
}

/** An id that no record can have is nobody's either. */
async function knownUser(
  app: App,
  id: string,
): Promise<{ readonly userId: string; readonly subject: Subject } | null> {
  if (app.checked.recordIdOf(id) === null) return null
  const { userId, subject } = await userOf(app, id)
  return subject === null ? null : { userId, subject }
}

function fail(done: Import, fault: LineFault): void {
  done.failed += 1
  if (done.faults.length < FAULTS_TOLD) done.faults.push(fault)
}

/** Each is told once, where it comes first. */
function note({ notices }: Import, notice: LineFault): void {
  if (!notices.some(({ reason }) => reason === notice.reason)) notices.push(notice)
}

function withoutEnd(message: string): string {
  return message.replace(/\.$/, '')
}

function emptyImport(): Import {
  const counts = { assigned: 0, alreadyThere: 0, passedOver: 0, failed: 0, weak: 0, fewTries: 0 }
  const lines = { weakLine: null, fewTriesLine: null, stoppedAt: null, interruptedAt: null }
  return { ...counts, ...lines, faults: [], notices: [] }
}

const NOTICES = {
  signed: 'the file is signed. The signature was not checked',
  'unknown-column': 'a column has an unknown name, and was not read',
} as const

const REFUSED = {
  'serial-in-use': 'the serial number is in use, with another user or another seed',
  'seed-in-use': 'the user, or another one, has a device with this seed already',
  'no-room': 'the user has as many authenticators as one may have',
  'not-enrolled': 'there is no second step to change',
  'required-by-policy': 'the policy forbids it',
  'switched-off': 'this is switched off here',
  'stronger-factor-required': "a rule of the user's roles does not accept it",
  'not-found': 'there is no such authenticator',
} as const
