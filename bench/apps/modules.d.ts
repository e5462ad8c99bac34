declare module 'passport-totp' {
  import { Strategy as PassportStrategy } from 'passport'

  type Done = (error: unknown, key?: Buffer, period?: number) => void
  export class Strategy extends PassportStrategy {
    constructor(setup: (user: Express.User, done: Done) => void)
  }
}
