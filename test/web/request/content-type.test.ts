// The mistake: the type of a body that is known at a look is taken for another than Express would read, so
// that a form is answered in JSON, or a body is parsed as what it is not.

import { expect } from 'chai'
import express, { type Request } from 'express'
import request from 'supertest'
import { isOfType } from '../../../lib/web/request/content-type.js'

const ASKED = [
  ['application/json'],
  ['application/json', 'application/x-www-form-urlencoded'],
] as const
const SENT = [
  ...['application/json', 'application/x-www-form-urlencoded', 'text/plain', 'APPLICATION/JSON'],
  ...['application/json; charset=utf-8', 'application/json,text/plain', ' application/json', '/'],
  ...['application/problem+json', 'multipart/form-data; boundary=a', 'application/jsonx', ''],
]

function appThatCompares() {
  const app = express()
  const answer = (req: Request) =>
    ASKED.map((types) => [isOfType(req, types), Boolean(req.is([...types]))])
  app.use((req, res) => res.json(answer(req)))
  return app
}

describe('the type of a body', () => {
  for (const type of SENT) {
    it(`is what Express reads of "${type}", with a body, an empty one and none`, async () => {
      const app = appThatCompares()
      const sent = [
        await request(app).post('/').set('Content-Type', type).send('{}'),
        await request(app).post('/').set('Content-Type', type).set('Content-Length', '0'),
        await request(app).get('/').set('Content-Type', type),
        await request(app).post('/').set('Content-Type', type).set('Transfer-Encoding', 'chunked'),
      ]
      for (const { body } of sent) for (const [ours, own] of body) expect(ours).to.equal(own)
    })
  }
})
