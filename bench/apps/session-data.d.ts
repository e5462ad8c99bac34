import 'express-session'

declare module 'express-session' {
  interface SessionData {
    /** The user who passed the second step, in the apps that keep it here. */
    verified?: { id: string; epoch: number }
    /** The user who passed the first step, in the app by hand. */
    pending?: { id: string; user: string; epoch: number; at: number }
    /** The key that the plain app's page with a QR code shows. */
    secret?: string
    /** As passport-totp's own example has it. */
    secondFactor?: 'totp'
  }
}
