import type { Request, Response } from 'express'
import type { Problem } from '../../text/problem.js'
import type { Site } from './site.js'
import type { Visitor } from './visitor.js'

/** What a handler is given: one request, and who asks. */
export interface Exchange<V extends Visitor = Visitor> {
  readonly site: Site
  readonly req: Request
  readonly res: Response
  readonly visitor: V
}

/** Answers a request, or says with which problem it is to be answered. */
export type Handler<V extends Visitor = Visitor> = (
  exchange: Exchange<V>,
) => Promise<Problem | undefined>
