import type { Request } from 'express'
import { readCode, type TypedCode } from '../domain/code.js'
import { fieldOf } from './body.js'

/** The field `code`, or null for anything that no code looks like: that costs no attempt. */
export function codeField(req: Request): TypedCode | null {
  return readCode(fieldOf(req, 'code'))
}

/** Whether what was typed was meant for a backup code, even if it is none: its form stays open. */
export function looksLikeBackupCode(req: Request): boolean {
  const typed = fieldOf(req, 'code') ?? ''
  return /[a-z]/i.test(typed) || typed.length > 10
}
