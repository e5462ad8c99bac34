import type { HostApp } from '../request/site.js'

const warned = new WeakSet<HostApp['passports']>()

/**
 * Warns once where a user who may not be in is on the request and not in its session: most likely a
 * token's strategy runs in front of the guard, which then takes the user away, and nobody knows why.
 */
export function warnOfNoSession({ passports }: Pick<HostApp, 'passports'>): void {
  if (warned.has(passports)) return
  warned.add(passports)
  process.emitWarning(
    'passport-second-step: a user whom no session() of a known instance has found met guard(), and was taken away: ' +
      'their second step is missing. Mount middleware that signs somebody in for one request (a token, an API key) ' +
      "behind guard(); if the credential was itself issued after a second step, write passport.authenticate('bearer', " +
      '{ session: false, secondStep: false }). Users under another key of the session need a Passport instance of ' +
      'their own, named in `passports`',
  )
}
