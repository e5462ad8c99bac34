import { ConfigurationError } from './configuration-error.js'

/** What of a user is not as the app must tell it. */
export type OddField = 'id' | 'email' | 'roles'

/** A user whom the app tells wrongly. The message names the field and the fix, never what is in it. */
export class OddUserError extends ConfigurationError {
  readonly field: OddField

  constructor(field: OddField, message: string) {
    super(message)
    this.field = field
  }
}
