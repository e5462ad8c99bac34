import type { Mailer } from 'passport-second-step'
import type { RedisCommands } from './redis.js'

/** A mail that the app would have sent. */
export interface MailboxMail {
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly at: string
}

/** Where mails go while there is no mail server: `GET /mailbox` shows them. */
export interface Mailbox {
  readonly transport: Mailer
  /** Newest first. */
  list(): Promise<readonly MailboxMail[]>
}

const MAILS_AT_MOST = 100
const KEY = 'example-app:mailbox'

export function memoryMailbox(): Mailbox {
  let mails: readonly MailboxMail[] = []
  return {
    transport: transportTo(async (mail) => {
      mails = [mail, ...mails].slice(0, MAILS_AT_MOST)
    }),
    list: async () => mails,
  }
}

export function redisMailbox(redis: RedisCommands): Mailbox {
  return {
    transport: transportTo((mail) => redis.pushFirst(KEY, JSON.stringify(mail), MAILS_AT_MOST)),
    list: async () => (await redis.listed(KEY)).map((mail) => JSON.parse(mail)),
  }
}

function transportTo(keep: (mail: MailboxMail) => Promise<void>): Mailer {
  return {
    sendMail: ({ to, subject, text, html }) =>
      keep({ to, subject, text, html, at: new Date().toISOString() }),
  }
}
