/** What the tests use of it; the package has no types. */
declare module 'oidc-provider' {
  import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'

  export class Provider {
    constructor(issuer: string, configuration: object)
    callback(): RequestListener
    interactionFinished(
      req: IncomingMessage,
      res: ServerResponse,
      result: {
        readonly login: {
          readonly accountId: string
          readonly amr?: readonly string[]
          readonly acr?: string
          /** When the user authenticated, in seconds. */
          readonly ts?: number
        }
      },
    ): Promise<void>
  }

  /** A permission of a user's for a client. */
  export interface Grant {
    addOIDCScope(scope: string): void
    save(): Promise<string>
  }

  /** What the provider's functions get: as far as it is used here. */
  export interface Context {
    readonly oidc: {
      readonly provider: {
        readonly Grant: new (of: { clientId: string; accountId: string }) => Grant
      }
      readonly client: { readonly clientId: string }
      readonly session: { readonly accountId: string }
    }
  }
}
