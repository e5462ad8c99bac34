import type { Request } from 'express'
import { type Proof, readProof } from '../factors/factors.js'
import { fieldOf } from './body.js'
import type { PageProblem } from './pages.js'

/** The proof in the body, or null for anything that no factor knows: that costs no attempt. */
export function proofIn(req: Request): Proof | null {
  return readProof({ code: fieldOf(req, 'code') })
}

/** What was typed as a code, for a field that is shown again. */
export function typedCodeOf(req: Request): string {
  return fieldOf(req, 'code')?.slice(0, 64) ?? ''
}

/** Whether the problem says that codes of the app are not looked at for a while. */
export function isBlocked({ blockedUntil }: Pick<PageProblem, 'blockedUntil'>): boolean {
  return blockedUntil !== undefined
}

/** Whether what was typed was meant for a backup code, even if it is none: its form stays open. */
export function looksLikeBackupCode(req: Request): boolean {
  const typed = fieldOf(req, 'code') ?? ''
  return /[a-z]/i.test(typed) || typed.length > 10
}
