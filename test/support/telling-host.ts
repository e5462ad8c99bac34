// A host in a process of its own, so that everything it and its libraries say with DEBUG=* can be
// read: started by the tests with the port of an SMTP server, it says on which port it listens.

import { inspect } from 'node:util'
import type { ErrorRequestHandler } from 'express'
import { createTransport } from 'nodemailer'
import { memoryStore, type RecordStore } from '../../lib/index.js'
import { ann, type HostUser, makeHost } from './host.js'
import { ORIGIN } from './keys.js'

const user = { ...ann, email: 'ann@acme.example', locale: 'en' }
const store = memoryStore()
let broken = false

/** A store that does not answer for a while. */
const breakable: RecordStore = {
  ...store,
  find: (id) => store.find(id),
  findPolicy: () => store.findPolicy(),
  writePolicy: (policy, version) => store.writePolicy(policy, version),
  async write(record, version) {
    if (broken) throw new Error('the store is away')
    return store.write(record, version)
  },
}

const logErrors: ErrorRequestHandler = (error, _req, _res, next) => {
  console.error('error:', inspect(error, { depth: null, showHidden: true }))
  next(error)
}

const { app, secondStep, system } = makeHost({
  users: [user],
  options: {
    store: breakable,
    trustedBrowsers: {},
    webauthn: { rpId: 'acme.example', origins: [ORIGIN] },
    users: { findById: async (id): Promise<HostUser | null> => (id === user.id ? user : null) },
    mail: {
      transport: createTransport({
        host: '127.0.0.1',
        port: Number(process.env.SMTP_PORT),
        ignoreTLS: true,
        logger: true,
        debug: true,
      }),
      from: 'Acme <no-reply@acme.example>',
    },
  },
  routes: (parts) => {
    parts.app.post('/test/advance', (req, res) => {
      system.advance(Number(req.body.milliseconds))
      res.json({ now: system.now() })
    })
    parts.app.post('/test/break', (req, res) => {
      broken = req.body.broken === true
      res.json({})
    })
    parts.app.post('/test/end-sessions', (_req, res, next) => {
      parts.secondStep.endSessions(user.id).then(() => res.json({}), next)
    })
    parts.app.use(logErrors)
  },
})

secondStep.events.on('event', (event) => console.log(`event: ${JSON.stringify(event)}`))
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(`listening: ${typeof address === 'object' ? address?.port : ''}`)
})
process.once('SIGTERM', async () => {
  await secondStep.close()
  process.exit(0)
})
