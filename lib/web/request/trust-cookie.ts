import type { Request, Response } from 'express'
import type { NewTrust, TrustCookie, TrustToken } from '../../service/trusted-browsers.js'

/** 16 random bytes and 32, in base64url. */
const WRITTEN = /^([\w-]{22})\.([\w-]{43})$/

/** The token in the request's cookie, or null. */
export function trustTokenOf(
  { headers: { cookie = '' } }: Request,
  { name }: TrustCookie,
): TrustToken | null {
  for (const pair of cookie.split(';')) {
    const [key = '', value = ''] = pair.trim().split('=', 2)
    if (key !== name) continue
    const [, id, secret] = WRITTEN.exec(value) ?? []
    if (id !== undefined && secret !== undefined) return { id, secret }
  }
  return null
}

/** Gives the browser its cookie, unless the host has answered meanwhile. */
export function giveTrust(res: Response, cookie: TrustCookie, given: NewTrust, now: number): void {
  const { token, expiresAt } = given
  if (res.headersSent) return
  res.cookie(cookie.name, `${token.id}.${token.secret}`, {
    ...attributesOf(cookie),
    maxAge: Math.max(0, expiresAt - now),
  })
}

/** Takes the cookie back: it opens nothing any more. */
export function takeTrust(res: Response, cookie: TrustCookie): void {
  if (!res.headersSent) res.clearCookie(cookie.name, attributesOf(cookie))
}

/** `Lax`: a link from another site may lead to the sign-in, and a form of another site never brings it. */
function attributesOf({ secure }: TrustCookie) {
  return { path: '/', httpOnly: true, sameSite: 'lax', secure } as const
}
