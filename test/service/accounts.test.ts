// The mistake: a user store fails for several users of one page, and the second failure ends the process.

import { expect } from 'chai'
import { UnavailableError } from '../../lib/errors/unavailable-error.js'
import { Accounts } from '../../lib/service/accounts.js'
import { rejectionOf } from '../stores/rejection.js'

interface User {
  readonly id: string
}

function accountsWith(
  findById: (id: string) => Promise<User | null>,
  list?: () => Promise<{ users: User[]; next: string | null }>,
): Accounts<User> {
  return new Accounts<User>({
    users: { findById, ...(list && { list }) },
    describe: (user) => ({
      user,
      id: user.id,
      email: null,
      name: null,
      username: null,
      locale: null,
      subject: { roles: [], createdAt: null, privileged: false },
      tellsRoles: false,
    }),
    glimpse: () => ({ id: null, name: null }),
    hostIdOf: (id) => (id.startsWith('other ') ? null : id),
    timeout: 1000,
  })
}

describe('the users of a list', () => {
  it('are looked up together, in their order', async () => {
    const accounts = accountsWith(async (id) => {
      if (id === 'gone') return null
      return { id: id === 'ANN' ? 'ann' : id }
    })
    const found = await accounts.lookUpAll(['bob', 'gone', 'other ann', 'ANN', 'ann'])
    expect(found.map(({ kind }) => kind)).to.deep.equal(['found', 'none', 'none', 'other', 'found'])
    expect(await accounts.lookUpAll([])).to.deep.equal([])
  })

  it('are a refusal where the host throws for one and rejects for others', async () => {
    const unheard: unknown[] = []
    const listen = (error: unknown) => unheard.push(error)
    process.on('unhandledRejection', listen)
    const accounts = accountsWith((id) => {
      if (id === 'b') throw new Error('thrown')
      return Promise.reject(new Error('rejected'))
    })
    expect(await rejectionOf(accounts.lookUpAll(['a', 'b', 'c']))).to.be.instanceOf(
      UnavailableError,
    )
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', listen)
    expect(unheard).to.deep.equal([])
  })

  // The mistake: a list that does not know cursors would be read for ever.
  it('are a refusal where a page leads to itself', async () => {
    const list = async () => ({ users: [{ id: 'ann' }], next: 'again' })
    const accounts = accountsWith(async () => null, list)
    const page = (cursor: string | null) => accounts.list({ search: '', cursor, limit: 9 })
    expect((await page(null))?.next).to.equal('again')
    expect(await rejectionOf(page('again'))).to.be.instanceOf(UnavailableError)
  })
})
