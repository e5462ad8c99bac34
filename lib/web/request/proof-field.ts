import type { Request } from 'express'
import { type Proof, readProof, readResync } from '../../factors/factors.js'
import type { PageProblem } from '../../text/pages.js'
import { fieldOf, hasFields } from './body.js'

/** The proof in the body, or null for anything that no factor knows: that costs no attempt. */
export function proofIn(req: Request): Proof | null {
  const credential = credentialIn(req)
  const code = fieldOf(req, 'code')
  if (credential === undefined) return readProof({ code })
  // Two answers would be two guesses.
  return code === undefined || code === '' ? readProof({ credential }) : null
}

/** What a key has answered, of any shape. Undefined: nothing, as in a form whose script did not run. */
export function credentialIn(req: Request): unknown {
  const { body } = req
  const given: unknown =
    hasFields(body) && Object.hasOwn(body, 'credential') ? body.credential : undefined
  return given === null || given === '' ? undefined : given
}

/** Two consecutive codes in the body, or the name of the field that is none. */
export function resyncIn(req: Request): Proof | 'code' | 'nextCode' {
  return readResync({ code: fieldOf(req, 'code'), nextCode: fieldOf(req, 'nextCode') })
}

/** A malformed second code, to be corrected. Empty: none. */
export function typedNext(req: Request, problem: PageProblem | null): string {
  return problem?.code === 'malformed-request' ? (fieldOf(req, 'nextCode') ?? '').slice(0, 64) : ''
}

/** What a page shows again after a code was typed into one of its forms. */
export interface TypedCode {
  /** The malformed input, to be corrected. Empty: none. */
  readonly typed: string
  /** The form for backup codes is open and has the focus. */
  readonly typedBackupCode: boolean
}

/** While the authenticator is blocked, only the form for backup codes works. */
export function typedIn(req: Request, problem: PageProblem | null): TypedCode {
  if (problem === null) return { typed: '', typedBackupCode: false }
  const typed = fieldOf(req, 'code') ?? ''
  return {
    typed: problem.code === 'malformed-request' ? typed.slice(0, 64) : '',
    typedBackupCode: problem.blockedUntil !== undefined || looksLikeBackupCode(typed),
  }
}

/** Whether what was typed was meant for a backup code, even if it is none. */
function looksLikeBackupCode(typed: string): boolean {
  return /[a-z]/i.test(typed) || typed.length > 10
}
