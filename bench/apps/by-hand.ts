import { createCipheriv, createDecipheriv, createHmac, randomBytes, randomUUID } from 'node:crypto'
import type { Request, Response } from 'express'
import type { Redis } from 'ioredis'
import { addRoutes, type BenchApp, idOf, json, makeHost, onLogIn } from './host.js'
import type { Settings } from './settings.js'
import { codeOfStep, STEP, secretOf } from './totp.js'

/** A user's second step, as a careful developer keeps it. */
interface Kept {
  readonly epoch: number
  readonly sealed: string
  readonly lastStep: number
  readonly backupCodes: readonly string[]
}

const KEY = randomBytes(32)

/** Replaces the record if it is still the one that was read. */
const SWAP = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2]) return 1`

/**
 * A second step by hand, with care: a pending login instead of a user, every try counted before it is
 * judged, a code burned by compare-and-set before the answer, a new session id, and one record read
 * on every request so that sessions can be ended.
 */
export async function makeApp(settings: Settings): Promise<BenchApp> {
  const host = await makeHost(settings)
  const { app, redis } = host
  const recordOf = (id: string) => redis.get(`second-step:${id}`)
  onLogIn(host, async (logIn, req, user, options, done) => {
    const text = await recordOf(user.id)
    if (text === null) return logIn.call(req, user, options, done)
    req.session.regenerate((error) => {
      if (error) return done(error)
      const { epoch } = JSON.parse(text) as Kept
      req.session.pending = { id: randomUUID(), user: user.id, epoch, at: Date.now() }
      req.res?.json({ status: 'code-required' })
    })
  })
  app.use(async (req, res, next) => {
    if (!req.isAuthenticated()) return next()
    const id = idOf(req)
    const text = await recordOf(id)
    const epoch = text === null ? 0 : (JSON.parse(text) as Kept).epoch
    const { verified } = req.session
    if (text === null || (verified?.id === id && verified.epoch === epoch)) return next()
    res.status(401).json({ status: 'sign-in-again' })
  })
  addRoutes(host)
  app.post('/enrol/:id', async (req, res) => {
    const id = req.params.id
    const codes = Array.from({ length: 10 }, () => randomBytes(15).toString('hex'))
    const kept = { epoch: 1, sealed: seal(id), lastStep: 0, backupCodes: codes.map(digestOf) }
    await redis.set(`second-step:${id}`, JSON.stringify(kept satisfies Kept))
    res.json({ backupCodes: codes })
  })
  app.post('/code', json, (req, res) => takeCode(redis, req, res))
  return host
}

async function takeCode(redis: Redis, req: Request, res: Response): Promise<void> {
  const { pending } = req.session
  if (pending === undefined || Date.now() - pending.at > 600_000) {
    res.status(401).json({ status: 'sign-in-again' })
    return
  }
  const name = `second-step:${pending.user}`
  const [text, counted] = await Promise.all([
    redis.get(name),
    redis.multi().incr(`tries:${pending.id}`).expire(`tries:${pending.id}`, 600).exec(),
  ])
  if (text === null || Number(counted?.[0]?.[1]) > 5) {
    res.status(401).json({ status: 'sign-in-again' })
    return
  }
  const kept = JSON.parse(text) as Kept
  const next =
    kept.epoch === pending.epoch ? judge(pending.user, kept, String(req.body.code)) : null
  if (next === null || (await redis.eval(SWAP, 1, name, text, JSON.stringify(next))) !== 1) {
    res.status(401).json({ status: 'wrong-code' })
    return
  }
  const user = { id: pending.user }
  req.session.regenerate(() => {
    Object.assign(req.session, { passport: { user: user.id } })
    req.session.verified = { id: user.id, epoch: next.epoch }
    res.json({ status: 'signed-in' })
  })
}

/** The record with the code burned, or null for a wrong one. */
function judge(userId: string, kept: Kept, code: string): Kept | null {
  if (code.length > 6) {
    const backupCodes = kept.backupCodes.filter((digest) => digest !== digestOf(code))
    return backupCodes.length < kept.backupCodes.length ? { ...kept, backupCodes } : null
  }
  const secret = unseal(userId, kept.sealed)
  const now = Math.floor(Date.now() / STEP)
  const step = [now - 1, now, now + 1].find((one) => codeOfStep(secret, one) === code)
  return step !== undefined && step > kept.lastStep ? { ...kept, lastStep: step } : null
}

function seal(userId: string): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', KEY, nonce).setAAD(Buffer.from(userId))
  const sealed = Buffer.concat([cipher.update(secretOf(userId)), cipher.final()])
  return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64url')
}

function unseal(userId: string, text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url')
  const opened = createDecipheriv('aes-256-gcm', KEY, bytes.subarray(0, 12), { authTagLength: 16 })
  opened.setAAD(Buffer.from(userId)).setAuthTag(bytes.subarray(-16))
  return Buffer.concat([opened.update(bytes.subarray(12, -16)), opened.final()])
}

function digestOf(code: string): string {
  return createHmac('sha256', KEY).update(code).digest('base64url').slice(0, 22)
}
