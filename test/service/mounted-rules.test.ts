// An app makes `requireFresh({ accepts })` anew for each request: a list that grows with each would fill the memory, and
// every proof would walk along it.

import { expect } from 'chai'
import { MountedRules } from '../../lib/service/mounted-rules.js'

describe('The rules of the routes', () => {
  it('are kept once each, however often one is made', () => {
    const mounted = new MountedRules()
    for (let made = 0; made < 3; made++) {
      mounted.add(['totp', 'webauthn'])
      mounted.add(['totp'])
    }
    expect(mounted.rules).to.deep.equal([['totp', 'webauthn'], ['totp']])
  })
})
