import type { Form } from '../factor.js'
import { typedCode } from '../look-up-code.js'

const CODE = /^[0-9]{6,8}$/

/** Reads the field `code` where it holds the digits of an authenticator. */
export function readOtp(form: Form): string | undefined {
  const typed = typedCode(form)
  return typed !== undefined && CODE.test(typed) ? typed : undefined
}

export function fitsOtp({ digits }: { readonly digits: number }, code: string): boolean {
  return code.length === digits
}
