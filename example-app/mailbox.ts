import type { Mailer } from 'passport-second-step'
import type { RedisClient } from './redis.js'

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

export function redisMailbox(redis: RedisClient): Mailbox {
  return {
    transport: transportTo(async (mail) => {
      await redis.lpush(KEY, JSON.stringify(mail))
      await redis.ltrim(KEY, 0, MAILS_AT_MOST - 1)
    }),
    list: async () => {
      const stored = await redis.lrange(KEY, 0, MAILS_AT_MOST - 1)
      return stored.map((mail) => JSON.parse(mail))
    },
  }
}

function transportTo(keep: (mail: MailboxMail) => Promise<void>): Mailer {
  return {
    sendMail: ({ to, subject, text, html }) =>
      keep({ to, subject, text, html, at: new Date().toISOString() }),
  }
}
