// The attack: a customer registers under a name that reads as a member of the staff's id, or as the
// same bytes once it is stored, sets up a second step there, and holds the codes of the other account.

import { expect } from 'chai'
import { memoryStore } from '../../../lib/index.js'
import { identity } from '../../../lib/options/identity.js'
import { browserOf, enrol, passFirstStep, signIn } from '../../support/browser.js'
import { type HostUser, makeHost } from '../../support/host.js'

const userOf = (id: string): HostUser => ({ id, name: 'Somebody', password: 'a-password' })

describe('a realm', () => {
  it('never has the users of another one that look like its own', async () => {
    const store = memoryStore()
    const [mallory, boss] = [userOf('staff:boss'), userOf('boss')]
    const shop = makeHost({ users: [mallory], options: { store } })
    const staff = makeHost({ users: [boss], options: { store, realm: 'staff' } })
    const mallorys = await enrol(shop, mallory)
    expect((await staff.secondStep.status('boss')).state).to.equal('off')
    expect((await shop.secondStep.status('staff:boss')).state).to.equal('on')
    const login = await passFirstStep(browserOf(staff), boss)
    expect(login.status, 'the boss is asked for no code of Mallory’s').to.equal(302)

    const bosses = await enrol(staff, boss)
    await signIn(browserOf(shop), mallory, mallorys)
    await signIn(browserOf(staff), boss, bosses)
    await shop.secondStep.endSessions('staff:boss')
    expect((await store.find('staff:boss'))?.epoch).to.equal(1)
  })

  const realms = ['', 'staff', 'shop', 's', '0', '-', 'a'.repeat(32)]
  const ids = ['boss', ':boss', '::boss', 'staff:boss', 'shop:boss', 'staff:', ':', 's:s:s', '0:-']
  const all = realms.flatMap((realm) => {
    const { recordId, hostId } = identity(undefined, realm === '' ? '' : `${realm}:`, () => false)
    return ids.map((id) => ({ realm, id, ofRecord: recordId(id), back: hostId(recordId(id)) }))
  })

  it('gives every user of every realm their own id', () => {
    const byRecord = new Map(all.map((one) => [one.ofRecord, one]))
    expect(byRecord.size).to.equal(all.length)
  })

  it('gives the host its own id back', () => {
    for (const { realm, id, back } of all) expect(back, `${realm} ${id}`).to.equal(id)
  })

  it('leaves ids alone that look like no realm’s', () => {
    const { recordId } = identity(undefined, '', () => false)
    for (const id of ['ann', 'Staff:ann', 'a b:c', `${'a'.repeat(33)}:b`, 'ann@acme.example']) {
      expect(recordId(id)).to.equal(id)
    }
  })
})

describe('an id with half of a character', () => {
  it('is refused, at the login and in the host’s own calls', async () => {
    // UTF-8 has no such halves: all of them become U+FFFD, and two users would share a record.
    for (const id of ['x\ud800', '\udc00x', 'x\ud800\ud800', '\udc00\ud800']) {
      const user = { ...userOf('odd'), id: 'odd' }
      const host = makeHost({ users: [user], options: { describe: () => ({ id }) } })
      // Express's own error handler writes to the console otherwise.
      host.app.set('env', 'test')
      const browser = browserOf(host)
      expect((await passFirstStep(browser, user)).status).to.equal(500)
      await browser.get('/inside').expect(401, { user: null })
      const failure = await host.secondStep.status(id).catch((error: unknown) => error)
      expect(failure).to.have.property('name', 'ConfigurationError')
    }
  })

  it('is another thing than a whole one outside the first plane', async () => {
    const host = makeHost({ users: [userOf('👩‍💻')] })
    await enrol(host, userOf('👩‍💻'))
    expect((await host.secondStep.status('👩‍💻')).state).to.equal('on')
  })
})
