import type { Request, Response } from 'express'
import type { Problem } from '../../text/problem.js'
import type { Site } from './site.js'
import type { Visitor } from './visitor.js'

/** The arguments of a handler: one request and its visitor. */
export interface Exchange<V extends Visitor = Visitor> {
  readonly site: Site
  readonly req: Request
  readonly res: Response
  readonly visitor: V
}

/** Answers a request, or returns the problem to answer with. */
export type Handler<V extends Visitor = Visitor> = (
  exchange: Exchange<V>,
) => Promise<Problem | undefined>
