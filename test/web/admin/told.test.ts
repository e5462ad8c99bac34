import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { type Mail, memoryStore } from '../../../lib/index.js'
import {
  ADMIN,
  adminAt,
  makeAdminHost,
  otherAdmin,
  PEOPLE,
  putJson,
  usersOf,
} from '../../support/admin.js'
import { postJson } from '../../support/answers.js'
import { enrol } from '../../support/browser.js'
import { movedSystem } from '../../support/clock.js'
import type { HostUser } from '../../support/host.js'

const POLICY = `${ADMIN}/policy`
const otto: HostUser = { ...otherAdmin, email: 'otto@acme.example' }
const ida: HostUser = { ...otto, id: 'ida', email: 'ida@acme.example' }
const people = [...PEOPLE.filter(({ id }) => id !== 'otto'), otto, ida]

function toldHost(
  more: Parameters<typeof makeAdminHost>[0] = {},
  mailOptions: { tellAdmins?: boolean } = {},
) {
  const mails: Mail[] = []
  const transport = { sendMail: async (mail: Mail) => mails.push(mail) }
  const mail = { from: 'no-reply@acme.example', transport, ...mailOptions }
  const own = { users: usersOf(people), mail, lost: false, canAdminister: () => true } as const
  const host = makeAdminHost({ ...own, ...more }, { users: people, system: movedSystem() })
  const told = async () => {
    await host.secondStep.close()
    return mails.filter(({ text }) => text.includes('because you are an admin'))
  }
  return { host, told }
}

const receivers = (mails: readonly Mail[]) => mails.map(({ to }) => to)

describe('the other admins of an app with mails', () => {
  it('are told of a saved policy, and of none that stays or is only previewed', async () => {
    const { host, told } = toldHost()
    const { browser } = await adminAt(host)
    await putJson(browser, POLICY, { mode: 'required', dryRun: true }).expect(200)
    await putJson(browser, POLICY, { mode: 'optional' }).expect(200)
    expect(await told()).to.deep.equal([])
    await putJson(browser, POLICY, { mode: 'required' }).expect(200)
    expect(receivers(await told())).to.deep.equal(['otto@acme.example', 'ida@acme.example'])
  })

  it('are told by the process that has made the change, and by no other', async () => {
    const both = { store: memoryStore(), keys: [randomBytes(32).toString('base64')] }
    const [one, other] = [toldHost(both), toldHost(both)]
    const { browser } = await adminAt(one.host)
    await putJson(browser, POLICY, { mode: 'required' }).expect(200)
    expect(await one.told()).to.have.length(2)
    expect(await other.told()).to.deep.equal([])
  })

  it('are told of a one-time code for an admin, and not the code', async () => {
    const { host, told } = toldHost()
    await enrol(host, otto)
    const { browser } = await adminAt(host)
    const { body } = await postJson(browser, `${ADMIN}/users/otto/one-time-code`).expect(200)
    const mails = await told()
    expect(receivers(mails)).to.deep.equal(['ida@acme.example'])
    expect(mails[0]?.subject).to.equal('Acme: One-time code made: Otto')
    expect(body.code).to.be.a('string')
    for (const { text, html } of mails) expect(`${text}${html}`).to.not.contain(body.code)
  })

  it('keep nobody waiting: the change is answered while they are looked for', async () => {
    let go = () => {}
    const held = new Promise<null>((resolve) => {
      go = () => resolve(null)
    })
    const users = { ...usersOf(people), list: () => held }
    const { host, told } = toldHost({ users })
    const { browser } = await adminAt(host)
    await putJson(browser, POLICY, { mode: 'required' }).expect(200)
    go()
    expect(await told()).to.deep.equal([])
  })

  it('are not told where the app has switched it off, or has no list of its users', async () => {
    const silent = [
      toldHost({}, { tellAdmins: false }),
      toldHost({ users: usersOf(people, false) }),
    ]
    for (const { host, told } of silent) {
      const { browser } = await adminAt(host)
      await putJson(browser, POLICY, { mode: 'required' }).expect(200)
      expect(await told()).to.deep.equal([])
    }
  })
})
