// A host in a process of its own with many users, all of whom have a second step: started by the test
// that takes the time of its answers, it says on which port it listens.

import { enrolledRecord } from '../../lib/testing/documents.js'
import { type HostUser, makeHost } from './host.js'
import { lostHost } from './lost.js'

const people = Array.from({ length: Number(process.env.USERS) }, (_, index): HostUser => {
  const id = `user-${index}`
  return { id, name: id, password: 'password', email: `${id}@acme.example` }
})
const { options, mails, idle } = lostHost({}, people)
const host = makeHost({
  ...options,
  routes: ({ app }) =>
    app.get('/test/mails', (_req, res) => void res.json({ status: mails.length })),
})
for (const { id } of people) await host.store.write(enrolledRecord(id, 1), 0)

const server = host.app.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(`listening: ${typeof address === 'object' ? address?.port : ''}`)
})
process.once('SIGTERM', async () => {
  await idle(host)
  process.exit(0)
})
