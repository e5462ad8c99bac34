import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { createSecondStep, memoryStore } from '../../../lib/index.js'
import { browserOf, enrol, JSON_TYPE, passFirstStep } from '../../support/browser.js'
import { ann, makeHost } from '../../support/host.js'

describe('two second steps in one app', () => {
  it('are refused where their guards meet: the second one’s gate would never be asked', async () => {
    // Staff have a realm of their own, and their guard is mounted below the customers'.
    const staff = createSecondStep({
      issuer: 'Staff',
      origin: 'http://127.0.0.1',
      keys: [randomBytes(32).toString('base64')],
      store: memoryStore(),
      realm: 'staff',
    })
    const host = makeHost({
      routes: ({ app }) => {
        app.set('env', 'test')
        app.use('/staff', staff.guard(), (_req, res) => res.json({ in: true }))
      },
    })
    const { text } = await browserOf(host).get('/staff').set('Accept', JSON_TYPE).expect(500)
    expect(text).to.include('two guards')
  })
})

describe('a session that the host has destroyed', () => {
  it('does not turn the host’s own errors into ours', async () => {
    const host = makeHost({
      routes: ({ app }) => {
        app.set('env', 'test')
        app.get('/broken', (req, _res, next) => {
          req.session.destroy(() => next(new TypeError('the host’s own')))
        })
      },
    })
    const browser = browserOf(host)
    await enrol(host, ann, browser)
    const { text } = await browser.get('/broken').expect(500)
    expect(text).to.include('the host’s own')
    await passFirstStep(browser, ann).expect(200)
  })
})
