// The attack: code of the host, or of another package, puts on the request what the guard notes of it.

import { inspect } from 'node:util'
import { expect } from 'chai'
import type { Request } from 'express'
import { RequestNotes } from '../../../lib/web/request/request-notes.js'

function madeUp(): Request {
  return { url: '/' } as Request
}

describe('the notes of a request', () => {
  it('are out of reach: nothing of them is on the request', () => {
    const [req, notes] = [madeUp(), new RequestNotes<string>()]
    notes.set(req, 'met')
    expect(notes.get(req)).to.equal('met')
    expect(Reflect.ownKeys(req)).to.deep.equal(['url'])
    expect(notes.get({ ...req } as Request), 'nor in a copy').to.equal(undefined)
    expect(inspect(req, { showHidden: true, depth: 9 })).to.not.include('met')
    expect(notes.get(Object.create(req)), 'nor in what inherits from it').to.equal(undefined)
    expect(notes.get(new Proxy(req, {})), 'nor in a proxy of it').to.equal(undefined)
  })

  it('are kept apart by kind and by request, whenever the kind was made', () => {
    const [one, other] = [madeUp(), madeUp()]
    const users = new RequestNotes<string>()
    users.set(one, 'ann')
    const visits = new RequestNotes<number>()
    expect([visits.has(one), visits.get(one), users.has(other)]).to.deep.equal([
      false,
      undefined,
      false,
    ])
    visits.set(one, 1)
    visits.set(one, 2)
    users.set(other, 'bob')
    expect([users.get(one), visits.get(one)]).to.deep.equal(['ann', 2])
    expect([users.get(other), visits.get(other)]).to.deep.equal(['bob', undefined])
  })
})
