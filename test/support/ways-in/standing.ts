import type { Visitor } from '../visitor.js'
import { DOORS } from './doors.js'

/** How far somebody has come, by four doors: what a cell of the tables says. */
export async function standingOf(
  visitor: Visitor,
  userId: string,
  isAdmin: boolean,
): Promise<string> {
  const inside = await DOORS.JSON(visitor, userId)
  const fresh = await DOORS['fresh code'](visitor)
  const admin = isAdmin ? await DOORS['admins read'](visitor) : 'forbidden'
  const mayAdminister = admin === 'in' ? ', admin' : ''
  if (inside === 'in') {
    const byKey = fresh === 'in' && (await DOORS['fresh key'](visitor)) === 'in' ? ', key' : ''
    return `${inWords(fresh)}${byKey}${mayAdminister}`
  }
  // Somebody who is not in gets nothing at any door.
  const isOut = inside === 'out' || inside === fresh
  const word = isOut ? OUT[fresh] : undefined
  return word === undefined || mayAdminister !== '' ? `${inside}, ${fresh}, ${admin}` : word
}

const OUT: Readonly<Record<string, string>> = {
  'not-signed-in': 'out',
  'sign-in-again': 'out',
  'code-required': 'code',
  'setup-required': 'set-up',
}

function inWords(fresh: string): string {
  if (fresh === 'in') return 'in, fresh'
  return fresh === 'fresh-code-required' || fresh === 'setup-required' ? 'in' : `in, ${fresh}`
}
