import { fileURLToPath } from 'node:url'
import express, { type RequestHandler, type Router } from 'express'
import { ConfigurationError } from '../errors/configuration-error.js'
import { backupCodesSaved, makeBackupCodes } from './backup-codes.js'
import { readBody } from './body.js'
import { cancel } from './cancel.js'
import { answerChallenge, showChallenge } from './challenge.js'
import { isCrossOrigin } from './cross-origin.js'
import { errorHandler } from './error-handler.js'
import { wantsJson } from './faces.js'
import { answerFresh, showFresh } from './fresh.js'
import type { Handler } from './handler.js'
import { enrolled, type Need, nothing, pendingCode, setUp, signedIn } from './needs.js'
import type { Problem } from './problem.js'
import { disable, reset } from './reset.js'
import { redirect, sendProblem, setSafeHeaders } from './respond.js'
import { showSettings } from './settings.js'
import { changeKey, confirmSetup, showKey, showSetup } from './setup.js'
import type { Site } from './site.js'
import { guardedStateOf, type Visitor } from './visitor.js'

/** The contents page: every route of the user router, what it needs, and who answers it. */
const routes = [
  route('get', '/', signedIn, showSettings),
  route('get', '/challenge', pendingCode, showChallenge),
  route('post', '/challenge', pendingCode, answerChallenge),
  route('post', '/cancel', nothing, cancel),
  route('get', '/fresh', enrolled, showFresh),
  route('post', '/fresh', enrolled, answerFresh),
  route('get', '/setup', setUp, showSetup),
  route('post', '/setup', setUp, confirmSetup),
  route('post', '/change-key', enrolled, changeKey),
  route('post', '/show-key', enrolled, showKey),
  route('post', '/backup-codes', enrolled, makeBackupCodes),
  route('post', '/backup-codes/saved', signedIn, backupCodesSaved),
  route('post', '/reset', enrolled, reset),
  route('post', '/disable', enrolled, disable),
] as const

const ASSETS = fileURLToPath(new URL('../../views/assets', import.meta.url))

/** The user router, to be mounted at `paths.secondStep`. */
export function router(site: Site): Router {
  const made = express.Router()
  made.use(mountedRightly(site))
  made.use('/assets', express.static(ASSETS, { index: false, setHeaders: setSafeHeaders }))
  for (const { method, path, answer } of routes) made[method](path, answer(site))
  made.use((req, res, next) => {
    sendProblem(site, req, res, { code: 'not-found' }).catch(next)
  })
  made.use(errorHandler(site))
  return made
}

/** A route: the need is asked and the body read before the handler runs, in one place for all. */
function route<V extends Visitor>(
  method: 'get' | 'post',
  path: string,
  need: Need<V>,
  handler: Handler<V>,
) {
  const answer =
    (site: Site): RequestHandler =>
    (req, res, next) => {
      const run = async (): Promise<Problem | undefined> => {
        if (isCrossOrigin(req, site)) return { code: 'cross-origin' }
        const met = need(site, req, guardedStateOf(req).visitor)
        if ('code' in met) return met
        const unread = await readBody(req, res)
        return unread ?? handler({ site, req, res, visitor: met })
      }
      run()
        .then((problem) => {
          if (problem === undefined) return undefined
          const { code, next: path } = problem
          const there = code === 'already-signed-in' && path !== undefined && !wantsJson(req)
          return there ? redirect(res, path) : sendProblem(site, req, res, problem)
        })
        .catch(next)
    }
  return { method, path, answer }
}

/** Mistakes in mounting fail loudly, at the first request that shows them. */
function mountedRightly(site: Site): RequestHandler {
  return (req, _res, next) => {
    guardedStateOf(req)
    const { secondStep } = site.paths
    if (req.baseUrl.toLowerCase() === secondStep.toLowerCase()) return next()
    throw new ConfigurationError(
      `router() is mounted at ${req.baseUrl || '/'}, but the option paths.secondStep says ` +
        `${secondStep}: make them the same`,
    )
  }
}
