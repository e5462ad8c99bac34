import type { RequestHandler } from 'express'
import { addRoutes, type BenchApp, type Host, idOf, makeHost, onLogIn } from './host.js'
import type { Settings } from './settings.js'

/** The plain app with a gate that reads nothing but the session: nobody can be signed out by it. */
export async function makeBlind(settings: Settings): Promise<BenchApp> {
  const host = await makeHost(settings)
  return withGate(host, (req, res, next) => {
    if (!req.isAuthenticated() || req.session.verified?.id === idOf(req)) return next()
    res.status(401).json({ status: 'code-required' })
  })
}

/** The plain app with a gate that reads one Redis key a request: the least that a revocation needs. */
export async function makeBare(settings: Settings): Promise<BenchApp> {
  const host = await makeHost(settings)
  return withGate(host, async (req, res, next) => {
    if (!req.isAuthenticated()) return next()
    const { verified } = req.session
    const id = idOf(req)
    const epoch = await host.redis.get(`epoch:${id}`)
    if (verified?.id === id && verified.epoch === Number(epoch ?? 0)) return next()
    res.status(401).json({ status: 'code-required' })
  })
}

/** Both let everybody in whose password was right: it is the gate's price that is asked for. */
function withGate(host: Host, gate: RequestHandler): BenchApp {
  onLogIn(host, (logIn, req, user, options, done) => {
    logIn.call(req, user, options, (error: unknown) => {
      if (!error) req.session.verified = { id: idOf(req), epoch: 0 }
      done(error)
    })
  })
  host.app.use(gate)
  addRoutes(host)
  return host
}
