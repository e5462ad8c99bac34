// The mistake: an app keeps an object with a member of the empty name in the session, such as filters of a form, and
// changes it after a login. The change was not stored: the comparison with what had been saved left that name out.

import { getJson, postJson } from '../../support/answers.js'
import { browserOf } from '../../support/browser.js'
import { bob, makeHost } from '../../support/host.js'

describe('a member of the session with an empty name', () => {
  for (const name of ['', 'q']) {
    it(`is stored when it changes after a login, as any other ('${name}')`, async () => {
      const host = makeHost({
        routes: ({ app }) => {
          app.post('/filters', (req, res, next) => {
            const filters = { '': 'all', q: 'all' }
            Reflect.set(req.session, 'filters', filters)
            req.logIn(bob, { session: true, keepSessionInfo: true }, (error) => {
              if (error) return next(error)
              Reflect.set(Object(Reflect.get(req.session, 'filters')), name, 'changed')
              res.json({})
            })
          })
          app.get('/filters', (req, res) => res.json(Reflect.get(req.session, 'filters') ?? null))
        },
      })
      const browser = browserOf(host)
      await postJson(browser, '/filters', {}).expect(200)
      const expected = { '': 'all', q: 'all', [name]: 'changed' }
      await getJson(browser, '/filters').expect(200, expected)
    })
  }
})
