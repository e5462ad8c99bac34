import express, { type RequestHandler, type Router } from 'express'
import { ConfigurationError } from '../../errors/configuration-error.js'
import type { Problem } from '../../text/problem.js'
import { answeredSince } from '../request/answered.js'
import { readBody } from '../request/body.js'
import { isCrossOrigin } from '../request/cross-origin.js'
import type { Exchange, Handler } from '../request/handler.js'
import { wantsJson } from '../request/negotiation.js'
import type { Paths, Site } from '../request/site.js'
import { guardStateAt, presentVisitorOf, type Visitor } from '../request/visitor.js'
import { errorHandler } from './error-handler.js'
import type { Requirement } from './requirements.js'
import { redirect, sendProblem } from './respond.js'

/** One row of a router's table. */
export interface Route {
  readonly method: 'get' | 'post' | 'put'
  readonly path: string
  readonly answer: (site: Site) => RequestHandler
}

/** Answers a problem of a visitor who meets the route's requirement. */
export type Refuse<V extends Visitor> = (
  exchange: Exchange<V>,
  problem: Problem,
) => Promise<Problem | undefined>

/**
 * A route: checks the requirement and reads the body before the handler runs, in one place for all
 * routes. Once the host has answered, by a time-out of its own, nothing is sent or passed on. A GET does not wait for a body: its answer could go to a visitor whose session has ended
 * meanwhile.
 *
 * @param refuse default: the problem is answered as it is
 * @param largest bytes that a body may have. Default: 4 KB
 */
export function route<V extends Visitor>(
  method: Route['method'],
  path: string,
  need: Requirement<V>,
  handler: Handler<V>,
  refuse: Refuse<V> = async (_exchange, problem) => problem,
  largest?: number,
): Route {
  const answer =
    (site: Site): RequestHandler =>
    (req, res, next) => {
      const isAnswered = answeredSince(res)
      const run = async (): Promise<Problem | undefined> => {
        if (isCrossOrigin(req, site)) return { code: 'cross-origin' }
        const met = need(site, req, await presentVisitorOf(req))
        if ('code' in met) return met
        const exchange = { site, req, res, visitor: met }
        const malformed = method === 'get' ? null : await readBody(req, res, largest)
        if (isAnswered()) return undefined
        const problem = malformed ?? (await handler(exchange))
        return problem === undefined ? undefined : refuse(exchange, problem)
      }
      run()
        .then((problem) => {
          if (problem === undefined) return undefined
          const { code, next: path } = problem
          const there = code === 'already-signed-in' && path !== undefined && !wantsJson(req)
          return there ? redirect(res, path) : sendProblem(site, req, res, problem)
        })
        .catch((error: unknown) => {
          // Express would cut the connection at an error behind an answer.
          if (isAnswered()) site.failureReporter.report(error)
          else next(error)
        })
    }
  return { method, path, answer }
}

/** Which router it is: the host's call, and the option with its path. */
export interface Mount {
  readonly call: string
  readonly path: keyof Paths
}

/** A router of these routes. Any other path is not found. */
export function routerOf(
  site: Site,
  mount: Mount,
  routes: readonly Route[],
  before: (made: Router) => void = () => undefined,
): Router {
  const made = express.Router()
  made.use(mountedRightly(site, mount))
  before(made)
  for (const { method, path, answer } of routes) made[method](path, answer(site))
  made.use((req, res, next) => {
    sendProblem(site, req, res, { code: 'not-found' }).catch(next)
  })
  made.use(errorHandler(site))
  return made
}

/** Mistakes in mounting fail loudly, at the first request that shows them. */
function mountedRightly(site: Site, { call, path }: Mount): RequestHandler {
  return (req, _res, next) => {
    guardStateAt(site, req)
    const expected = site.paths[path].slice(site.base.length)
    if (req.baseUrl.toLowerCase() === expected.toLowerCase()) return next()
    throw new ConfigurationError(
      `${call} is mounted at ${req.baseUrl || '/'}, but the option paths.${path} says ` +
        `${expected}: make them the same. ${hintAtBase(req.baseUrl, expected, site.base)}`,
    )
  }
}

/** A proxy that strips a prefix, or one that does not, is the usual reason. */
function hintAtBase(mounted: string, expected: string, base: string): string {
  if (base !== '') {
    return `The option base says that a proxy takes ${base} off before the app sees a path; leave it out if none does`
  }
  const stripped = expected.endsWith(mounted) ? expected.slice(0, -mounted.length) : ''
  const example = stripped === '' ? '/app' : stripped
  return `If a proxy strips a prefix, write paths without it, as the app sees them, and say base: '${example}'`
}
