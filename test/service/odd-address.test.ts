// The mistake: an app has users whose `email` is a text, but not one address: a list, or an address with a name in front.
// No mail about their second step went out, and no warning said so.

import { expect } from 'chai'
import { enrol } from '../support/browser.js'
import { ann, bob, type HostUser, makeHost } from '../support/host.js'
import { warningsDuring } from '../support/warnings.js'

async function mailsTo(...users: readonly HostUser[]) {
  const sent: string[] = []
  const host = makeHost({
    users,
    options: {
      users: { findById: async (id) => users.find((user) => user.id === id) ?? null },
      mail: {
        transport: { sendMail: async ({ to }) => void sent.push(to) },
        from: 'a@acme.example',
      },
    },
  })
  const said = await warningsDuring(async () => {
    for (const user of users) await enrol(host, user)
    await host.secondStep.close()
  })
  return { sent, said: said.filter((warning) => warning.includes('`email`')) }
}

describe('an `email` that is not one address', () => {
  for (const email of [
    'ann@a.example, bob@a.example',
    'Ann <ann@a.example>',
    'mailto:ann@a.example',
    'ann',
  ]) {
    it(`is told once, and not by its value: ${email}`, async () => {
      const { sent, said } = await mailsTo({ ...ann, email }, { ...bob, email })
      expect(sent).to.deep.equal([])
      expect(said).to.have.length(1)
      expect(said[0]).to.include('not one address').and.include('describe').and.not.include(email)
    })
  }

  it('may have blanks around it, as everywhere', async () => {
    const { sent, said } = await mailsTo({ ...ann, email: ' ann@acme.example\n' })
    expect(sent).to.deep.equal(['ann@acme.example'])
    expect(said).to.deep.equal([])
  })
})
