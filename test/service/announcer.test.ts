import { expect } from 'chai'
import type { AnnouncedEvent } from '../../lib/index.js'
import { Announcer, NO_REQUEST } from '../../lib/service/announcer.js'
import { movedSystem } from '../support/clock.js'

const requestInfo = { ip: '192.0.2.7', userAgent: 'a browser', languages: ['it'] }

function world() {
  const system = movedSystem()
  return { system, announcer: new Announcer(system) }
}

describe('an event', () => {
  it('has the type, user, actor, method, time, origin and detail', () => {
    const { announcer, system } = world()
    const heard: AnnouncedEvent[] = []
    announcer.events.on('event', (event) => heard.push(event))
    const detail = { backupCodesLeft: 4 }
    announcer.announce(
      'ann',
      [{ type: 'backup-code-used', method: 'backup-code', detail }],
      requestInfo,
    )
    expect(heard).to.deep.equal([
      {
        type: 'backup-code-used',
        actor: { kind: 'user', id: 'ann' },
        user: 'ann',
        method: 'backup-code',
        at: new Date(system.now()),
        ip: '192.0.2.7',
        userAgent: 'a browser',
        reason: null,
        detail,
      },
    ])
  })

  it('is typed by its name: a listener need not ask what its detail is', () => {
    const { announcer } = world()
    let left = -1
    let until = ''
    announcer.events.on('backup-codes-low', ({ detail }) => {
      left = detail.backupCodesLeft
    })
    announcer.events.on('event', (event) => {
      if (event.type === 'authenticator-locked') until = event.detail.until.toISOString()
    })
    const locked = { until: new Date(0) }
    announcer.announce(
      'ann',
      [
        { type: 'backup-codes-low', method: null, detail: { backupCodesLeft: 2 } },
        { type: 'authenticator-locked', method: 'totp', detail: locked },
      ],
      requestInfo,
    )
    expect([left, until]).to.deep.equal([2, '1970-01-01T00:00:00.000Z'])
  })

  it('has no detail if there is none, and names the actor if it was not the user', () => {
    const { announcer } = world()
    const heard: AnnouncedEvent<'reset'>[] = []
    announcer.events.on('reset', (event) => heard.push(event))
    announcer.announce('ann', [{ type: 'reset', method: null }], NO_REQUEST)
    const actor = { kind: 'admin', id: 'bob' } as const
    announcer.announce('ann', [{ type: 'reset', method: null }], { ...requestInfo, actor })
    expect(heard.map((event) => [event.actor.kind, event.actor.id, event.detail])).to.deep.equal([
      ['system', null, null],
      ['admin', 'bob', null],
    ])
  })

  it('reaches everybody else where one listener throws', async () => {
    const { announcer } = world()
    const heard: string[] = []
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
    announcer.events.on('reset', () => {
      throw new Error('no')
    })
    announcer.events.on('event', ({ type }) => heard.push(type))
    announcer.announce('ann', [{ type: 'reset', method: null }], requestInfo)
    expect(heard).to.deep.equal(['reset'])
    expect((await warned).message).to.contain('a listener of secondStep.events failed')
  })

  it('is told to the package’s own parts together with the languages of the request', () => {
    const { announcer } = world()
    const told: unknown[] = []
    announcer.tell((event, languages) => told.push([event.type, languages]))
    announcer.announce('ann', [{ type: 'reset', method: null }], requestInfo)
    announcer.announce('ann', [{ type: 'reset', method: null }], NO_REQUEST)
    expect(told).to.deep.equal([
      ['reset', ['it']],
      ['reset', []],
    ])
  })
})
