/** The host has answered the request before its login was done, so nobody is signed in. */
export class AnsweredError extends Error {
  static override readonly name: string = 'AnsweredError'

  constructor() {
    super('the response was sent before the login was done: nobody is signed in')
  }
}
