/** A mail, ready to be sent. No header of it holds a line break. */
export interface Mail {
  /** One address. */
  readonly to: string
  readonly from: string
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly headers: Readonly<Record<string, string>>
}

/** Sends mails. nodemailer's transports have this shape. */
export interface Mailer {
  /** @throws anything, where the mail was not taken. Nobody waits for it longer than 20 seconds. */
  sendMail(mail: Mail): Promise<unknown>
}
