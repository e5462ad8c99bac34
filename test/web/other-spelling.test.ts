// The mistake: a database that ignores case finds `ann` for "ANN". The app calls endSessions('ANN') after a theft:
// it resolves, a record of nobody is written, and the thief's session goes on.

import { expect } from 'chai'
import { ConfigurationError } from '../../lib/errors/configuration-error.js'
import { browserOf, enrol, signIn } from '../support/browser.js'
import { ann, makeHost } from '../support/host.js'
import { warningsDuring } from '../support/warnings.js'

const CALLS = ['endSessions', 'passwordChanged', 'emailChanged', 'status'] as const

function ignoringCase() {
  const users = { findById: async (id: string) => (id.toLowerCase() === ann.id ? ann : null) }
  return makeHost({ options: { users } })
}

describe('the host’s own calls with another spelling of an id', () => {
  for (const call of CALLS) {
    it(`${call}() throws, names both, and writes nothing`, async () => {
      const { secondStep, store } = ignoringCase()
      const failure: unknown = await secondStep[call]('ANN').catch((error: unknown) => error)
      expect(failure).to.be.instanceOf(ConfigurationError)
      expect(String(failure)).to.contain(`${call}("ANN")`).and.contain('"ann"')
      expect(await store.find('ANN')).to.equal(null)
    })
  }

  it('work with the directory’s own', async () => {
    const host = ignoringCase()
    const browser = browserOf(host)
    await signIn(browser, ann, await enrol(host, ann))
    await host.secondStep.endSessions('ann')
    await browser.get('/inside').expect(401)
  })
})

describe('the host’s own calls with an id that nobody has', () => {
  it('are warned of once', async () => {
    const { secondStep } = ignoringCase()
    const said = await warningsDuring(async () => {
      await secondStep.endSessions('anne')
      await secondStep.passwordChanged('anna')
      await secondStep.status('anne')
    })
    expect(said).to.have.length(1)
    expect(said[0]).to.contain('endSessions("anne")').and.contain('`users.findById(id)`')
  })

  it('are not where the user was deleted, whose record is still there', async () => {
    const host = makeHost({ options: { users: { findById: async () => null } } })
    const said = await warningsDuring(async () => {
      await enrol(host, ann)
      await host.secondStep.endSessions('ann')
    })
    expect(said.filter((one) => one.includes('endSessions'))).to.deep.equal([])
  })

  it('end sessions while `users` does not answer', async () => {
    let away = false
    const findById = async () => (away ? Promise.reject(new Error('away')) : ann)
    const host = makeHost({ options: { users: { findById } } })
    await enrol(host, ann)
    away = true
    const before = (await host.store.find('ann'))?.epoch ?? 0
    await host.secondStep.endSessions('ann')
    expect((await host.store.find('ann'))?.epoch).to.equal(before + 1)
  })
})
