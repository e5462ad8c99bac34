import type { Request } from 'express'
import { type Proof, readProof } from '../factors/factors.js'
import { fieldOf } from './body.js'

/** The proof in the body, or null for anything that no factor knows: that costs no attempt. */
export function proofIn(req: Request): Proof | null {
  return readProof({ code: fieldOf(req, 'code') })
}

/** Whether what was typed was meant for a backup code, even if it is none: its form stays open. */
export function looksLikeBackupCode(req: Request): boolean {
  const typed = fieldOf(req, 'code') ?? ''
  return /[a-z]/i.test(typed) || typed.length > 10
}
