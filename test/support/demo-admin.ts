import { virtualAuthenticator } from '../../lib/testing/index.js'
import { passwordLogin } from './example-app.js'
import { Visitor } from './visitor.js'

const ADMIN = { email: 'admin@example.test', name: 'Adam Admin', password: 'admin-password' }

/** The example app's demo admin, with a second step set up. Their code is fresh for 5 minutes. */
export async function enrolledAdmin(url: string): Promise<Visitor> {
  const admin = new Visitor(url)
  await passwordLogin(admin, ADMIN)
  const { secret = '' } = (await admin.getJson('/second-step/setup')).body
  const code = virtualAuthenticator(secret).next()
  const { status } = await admin.postJson('/second-step/setup', { code })
  if (status !== 200) throw new Error(`the admin's set-up was answered with ${status}`)
  return admin
}
