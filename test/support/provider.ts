import type { Request } from 'express'
import { Strategy } from 'passport'
import type { SecondStepOptions, UpstreamClaims } from '../../lib/index.js'
import type { HostParts, HostUser } from './host.js'

/** The sign-in provider that an app believes. */
export const PROVIDER = 'https://idp.acme.example'

/** Believes a second step at the provider, as Passport's `info` tells it. */
export const believesProvider = {
  satisfiedBy: (_req, _user, info) => info as UpstreamClaims | undefined,
  believe: [{ issuer: PROVIDER, amr: ['mfa'] }],
} as const satisfies SecondStepOptions<HostUser>['upstream']

/** The way back from a sign-in provider, whose user and claims are what the request says. */
export function mountProvider({ app, passport }: HostParts, users: readonly HostUser[]): void {
  passport.use(
    new (class extends Strategy {
      override readonly name = 'provider'
      override authenticate({ body }: Request) {
        const user = users.find(({ id }) => id === body.user)
        if (user === undefined) this.fail()
        else this.success(user, body.claims)
      }
    })(),
  )
  app.post('/login/provider', passport.authenticate('provider'), (_req, res) => res.json({}))
}
