import { ConfigurationError } from './configuration-error.js'

/** The field of a user that the app describes wrongly. */
export type OddField = 'id' | 'email' | 'roles' | 'username'

/**
 * A user whom the app describes wrongly. The message names the field and the fix, never the value.
 */
export class OddUserError extends ConfigurationError {
  static override readonly name: string = 'OddUserError'
  readonly field: OddField

  constructor(field: OddField, message: string) {
    super(message)
    this.field = field
  }
}
