import type { ErrorRequestHandler } from 'express'
import { malformed } from '../../text/problem.js'
import type { Site } from '../request/site.js'
import { sendProblem } from './respond.js'

/**
 * Express throws at a path such as `/lost/abc%` or `/users/%ff`, with all of it in the message: the host
 * would log the token of a link, and answer without our headers. A URIError of the host's own is the host's.
 */
export function undecodablePath(site: Site): ErrorRequestHandler {
  return (error, req, res, next) => {
    const express = error instanceof URIError && Reflect.get(error, 'status') === 400
    if (!express || isDecodable(req.path) || res.headersSent) return next(error)
    sendProblem(site, req, res, malformed(null)).catch(next)
  }
}

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}
