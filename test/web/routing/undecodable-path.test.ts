// The mistake: an undecodable path is answered in two ways, and a URIError of the host's own `render` is
// taken for one, so that a mistake of the host's looks like the visitor's.

import { expect } from 'chai'
import type { ErrorRequestHandler } from 'express'
import type { SecondStepOptions } from '../../../lib/index.js'
import { ADMIN, adminAt, adminVisit, makeAdminHost } from '../../support/admin.js'
import {
  expectProblem,
  expectSafeHeaders,
  getJson,
  getPage,
  postJson,
} from '../../support/answers.js'
import type { HostUser } from '../../support/host.js'

type Render = NonNullable<SecondStepOptions<HostUser>['render']>

const BOTH = [`${ADMIN}/users/%ff`, `${ADMIN}/users/%/reset`, '/second-step/lost/%ff']

describe('a path that cannot be decoded', () => {
  it('is malformed on both routers, in JSON and on a page', async () => {
    const { browser } = await adminVisit()
    for (const path of BOTH) {
      const answer = await getJson(browser, path)
      expectProblem(answer, 'malformed-request', 400)
      expectSafeHeaders(answer)
      expectProblem(await postJson(browser, path), 'malformed-request', 400)
      await getPage(browser, path).expect(400)
    }
  })
})

const thrown: Record<string, () => unknown> = {
  'as `decodeURIComponent` throws it': () => decodeURIComponent('%'),
  'with a status, as Express throws it': () => {
    throw Object.assign(new URIError('of the host’s'), { status: 400 })
  },
}

for (const [how, fail] of Object.entries(thrown)) {
  describe(`a URIError of the host’s own \`render\`, ${how}`, () => {
    it('gets to the host’s error handler, from both routers', async () => {
      let broken = false
      const render: Render = (page) =>
        String(broken && page !== 'problem' ? fail() : `<h1>${page}</h1>`)
      const errors: unknown[] = []
      const note: ErrorRequestHandler = (error, _req, res, _next) => {
        errors.push(error)
        res.status(500).send('of the host’s')
      }
      const host = makeAdminHost({ render })
      host.app.use(note)
      const { browser } = await adminAt(host)
      broken = true
      await getPage(browser, `${ADMIN}/users`).expect(500)
      await getPage(browser, '/second-step').expect(500)
      expect(errors).to.have.length(2)
      for (const error of errors) expect(error).to.be.instanceOf(URIError)
    })
  })
}
