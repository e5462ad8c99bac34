import type { Account } from '../../service/accounts.js'
import type { HostApp, Site } from '../request/site.js'

const looked = new WeakSet<HostApp>()

/**
 * Whether `users.findById` finds somebody who is certainly there: the user who begins a set-up. Looked
 * at once, since a mistake in it concerns everybody; again at the next set-up where it could not say.
 */
export function checkFindById(site: Site, { id }: Account): void {
  if (site.accounts === null || looked.has(site)) return
  looked.add(site)
  site.accounts.lookUp(id).then(
    ({ kind }) => {
      if (kind === 'none' || kind === 'other') warn(site, id, kind)
    },
    () => looked.delete(site),
  )
}

function warn({ hostIdOf }: HostApp, id: string, kind: 'none' | 'other'): void {
  const found = kind === 'none' ? 'does not find' : 'finds somebody else for'
  process.emitWarning(
    `passport-second-step: \`users.findById(id)\` ${found} the user who is setting up a second step now, with the id ` +
      `${JSON.stringify(hostIdOf(id) ?? id)}: such users get no mails, and are refused as admins. It is given the id that ` +
      '`describe` tells, as a string; if yours are numbers, give `findById: (id) => db.users.find(Number(id))`',
  )
}
