import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { closing } from '../../lib/service/closing.js'
import { moduleUrl, NODE_ARGUMENTS } from '../support/modules.js'
import { warningsDuring } from '../support/warnings.js'

const never = new Promise<never>(() => undefined)

/** Parts that say in which order they are ended. */
function partsOf(said: string[]) {
  const say = (name: string) => async () => void said.push(name)
  return {
    readyMailResets: { stop: say('resets by mail') },
    earlyKeyCheck: { stop: say('key check') },
    overview: { stop: say('overview') },
    reminders: { stop: say('reminders') },
    policyCounts: { stop: say('previews') },
    lost: { settled: say('requests for resets') },
    records: { settle: say('late writes') },
    audit: { settle: say('owed entries') },
    tally: { settle: say('counts') },
    changeNews: { close: say('signals') },
    guessWarnings: { settled: say('wrong codes') },
    mails: { settled: say('mails') },
    measurements: { stop: () => void said.push('measurements') },
    store: { close: say('store') },
    timeout: 1000,
  }
}

describe('close()', () => {
  it('ends everything, the store last and once', async () => {
    const said: string[] = []
    const close = closing(partsOf(said))
    await close()
    expect(said.slice(-2)).to.deep.equal(['store', 'measurements'])
    expect(new Set(said)).to.have.length(14)
    await Promise.all([close(), close()])
    expect(said.filter((name) => name === 'store')).to.deep.equal(['store'])
  })

  // A mail server that takes mails and never answers must not keep a process from being replaced.
  it('gives up what hangs, says so, and ends signals and store all the same', async () => {
    const said: string[] = []
    const hanging = { ...partsOf(said), lost: { settled: () => never }, patience: 20 }
    const warnings = await warningsDuring(() => closing(hanging)())
    expect(said).to.include.members(['signals', 'store'])
    expect(warnings).to.deep.equal([
      'passport-second-step: close() has given up what was still under way after 0.02 s',
    ])
  })

  it('rejects where the store does not close, with what it said as the cause', async () => {
    const close = async () => {
      throw new Error('still in use')
    }
    const failure = await closing({ ...partsOf([]), store: { close } })().catch((error) => error)
    expect(failure).to.include({ code: 'unavailable' })
    expect(failure.cause).to.include({ message: 'still in use' })
  })
})

/** An app with everything that can run in the background. Nothing else keeps it alive. */
const APP = `
const { createSecondStep, memoryStore } = await import('${moduleUrl('lib/index')}')
const { enrolledRecord } = await import('${moduleUrl('lib/testing/documents')}')
const store = memoryStore()
await store.write(enrolledRecord('ann', 1), 0)
const listening = () => {
  const connection = setInterval(() => {}, 1000)
  return { close: () => clearInterval(connection) }
}
const user = { id: 'ann', email: 'ann@acme.example' }
const secondStep = createSecondStep({
  issuer: 'Acme',
  origin: 'https://acme.example',
  keys: ['3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs='],
  store: { ...store, signals: { send: async () => {}, listen: listening } },
  users: { findById: async () => user },
  mail: { transport: { sendMail: async () => {} }, from: 'no-reply@acme.example' },
  lost: { delay: '24h' },
  webauthn: {},
  revocation: { within: '1s' },
})
await secondStep.endSessions('ann')
await secondStep.close()
console.log('closed')
`

describe('A process that has called close()', () => {
  it('ends by itself', async () => {
    const args = [...NODE_ARGUMENTS, '--input-type=module', '-e', APP]
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 })
    expect(stdout).to.equal('closed\n')
  })
})
