import { once } from 'node:events'
import { createTransport } from 'nodemailer'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer } from 'smtp-server'
import type { Mailer } from '../../lib/index.js'

/** A mail as it came over the wire: what a mail program makes of it, and every byte. */
export interface ReceivedMail extends Email {
  readonly raw: string
  /** The addresses that the envelope named. */
  readonly recipients: readonly string[]
}

/** A real SMTP server of the test's own, on 127.0.0.1. */
export interface MailServer {
  readonly port: number
  /** nodemailer's transport to this server. */
  readonly transport: Mailer
  /** All mails so far, in the order of their arrival. */
  readonly mails: readonly ReceivedMail[]
  /** The mails, as soon as there are so many. */
  received(count: number): Promise<readonly ReceivedMail[]>
  stop(): Promise<void>
}

export async function startMailServer(): Promise<MailServer> {
  const mails: ReceivedMail[] = []
  const waiting = new Set<() => void>()
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData(stream, session, done) {
      read(stream)
        .then(async (raw) => {
          const recipients = session.envelope.rcptTo.map(({ address }) => address)
          mails.push({ ...(await PostalMime.parse(raw)), raw, recipients })
          for (const look of waiting) look()
        })
        .then(() => done(), done)
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const address = server.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    port,
    transport: createTransport({ host: '127.0.0.1', port, ignoreTLS: true }),
    mails,
    received: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (mails.length < count) return
          waiting.delete(look)
          resolve(mails)
        }
        waiting.add(look)
        look()
      }),
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

async function read(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
