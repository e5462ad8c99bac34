// The mistake: the app's ids are numbers, and `users.findById` compares them with the string that it is given.
// Nobody is found, so no mail goes out and no rule of a role holds, and nobody is told.

import { expect } from 'chai'
import type { SecondStepOptions } from '../../../lib/index.js'
import { getJson } from '../../support/answers.js'
import { browserOf, enrol, passFirstStep } from '../../support/browser.js'
import { ann, bob, type HostUser, makeHost } from '../../support/host.js'
import { warningsDuring } from '../../support/warnings.js'

type FindById = NonNullable<SecondStepOptions<HostUser>['users']>['findById']

const PEOPLE: readonly HostUser[] = [ann, bob].map((user, index) => ({
  ...user,
  id: (index + 7) as unknown as string,
}))

/** Hosts look users up by name; what the package is told of them has a number as id. */
function numberedHost(findById: FindById) {
  const describe = ({ name }: HostUser) => ({ id: name === 'Ann' ? 7 : 8 })
  return makeHost({ options: { users: { findById }, describe } })
}

/** What is said while both sign in and set up. */
async function saidAtLogins(findById: FindById) {
  const host = numberedHost(findById)
  return warningsDuring(async () => {
    await enrol(host, ann)
    await enrol(host, bob)
  })
}

describe('A findById that does not find the user who is signed in', () => {
  const mistakes: Record<string, FindById> = {
    'compares numbers with a string': async (id) => PEOPLE.find((user) => user.id === id),
    'knows only others': async () => null,
  }
  for (const [name, findById] of Object.entries(mistakes)) {
    it(`is a warning, once, which names the fix: it ${name}`, async () => {
      const said = await saidAtLogins(findById)
      expect(said).to.have.length(1)
      expect(said[0])
        .to.contain('`users.findById(id)`')
        .and.contain('"7"')
        .and.match(/string.*findById: \(id\) => .*Number\(id\)/)
    })
  }

  it('gives no warning if it finds them, and is called once at each login', async () => {
    const asked: string[] = []
    const said = await saidAtLogins(async (id) => {
      asked.push(id)
      return [ann, bob].find(({ name }) => (name === 'Ann' ? '7' : '8') === id)
    })
    expect(said).to.deep.equal([])
    expect(asked).to.deep.equal(['7', '8'])
  })

  it('keeps nobody from the set-up while it does not answer', async () => {
    let away = false
    const find = async (id: string) => (id === '7' ? ann : bob)
    const browser = browserOf(numberedHost((id) => (away ? new Promise(() => {}) : find(id))))
    await passFirstStep(browser, ann)
    away = true
    await getJson(browser, '/second-step/setup').expect(200)
  })
})
