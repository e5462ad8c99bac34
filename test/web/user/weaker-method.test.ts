// The attack: somebody has the password and a backup code, and the owner, who has a security key, doesn't hear that
// nobody asked for it; or hears of it so often that they read no mail any more.

import { expect } from 'chai'
import { postJson } from '../../support/answers.js'
import { giveCode } from '../../support/browser.js'
import { ann } from '../../support/host.js'
import { answerWith, FRESH, hostWithKeys, pendingOf, setUpKey } from '../../support/keys.js'

describe('a code in place of the security key', () => {
  it('is an event each time, and a mail once a day; the key’s own answer is neither', async () => {
    const mails: { subject: string; text: string }[] = []
    const owner = { ...ann, email: 'ann@acme.example' }
    const host = hostWithKeys({
      users: [owner],
      options: {
        users: { findById: async () => owner },
        mail: {
          transport: { sendMail: async (mail: (typeof mails)[number]) => void mails.push(mail) },
          from: 'Acme <no-reply@acme.example>',
        },
      },
    })
    const methods: unknown[] = []
    host.secondStep.events.on('weaker-method-used', ({ method }) => methods.push(method))
    const { key, backupCodes } = await setUpKey(host, { user: owner })
    expect((await answerWith(await pendingOf(host), key)).status).to.equal(200)
    expect(methods).to.deep.equal([])

    const browser = await pendingOf(host)
    await giveCode(browser, backupCodes[0]).expect(200)
    await postJson(browser, FRESH, { code: backupCodes[1] }).expect(200)
    await host.secondStep.close()
    expect(methods).to.deep.equal(['backup-code', 'backup-code'])
    const told = mails.filter(({ subject }) => subject.includes('instead of your security key'))
    expect(told).to.have.length(1)
    expect(told[0]?.text).to.include('Change your password now')
  })
})
