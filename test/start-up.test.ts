import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { moduleUrl, NODE_ARGUMENTS } from './support/modules.js'

// A process that only starts has no page to show: it need not read, parse and compile all of them in
// every language, which was half of what the package added to the start of an app.

/** Starts an app without a request, then shows one page; tells what was read for each. */
const APP = `
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const read = []
const { readFileSync } = fs
fs.readFileSync = (file, ...more) => {
  read.push(String(file).replaceAll('\\\\', '/'))
  return readFileSync(file, ...more)
}
syncBuiltinESMExports()

const { createSecondStep, memoryStore } = await import('${moduleUrl('lib/index')}')
const { loadMessages } = await import('${moduleUrl('lib/text/messages')}')
const secondStep = createSecondStep({
  issuer: 'Acme',
  origin: 'https://acme.example',
  keys: ['3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs='],
  store: memoryStore(),
  users: { findById: async () => null },
  mail: { transport: { sendMail: async () => {} }, from: 'no-reply@acme.example' },
})
secondStep.router()
secondStep.adminRouter()
const texts = () => read.filter((file) => /\\/messages\\/|\\.ejs$/.test(file)).map((file) => file.split('/').at(-1))
const atStart = texts()
loadMessages().for(['it']).t('settings.back')
loadMessages().for(['it']).t('settings.title')
const countOf = (name) => read.filter((file) => file.includes('/node_modules/' + name + '/')).length
const [ofQrCodes, ofXml] = [countOf('qrcode'), countOf('sax')]
console.log(JSON.stringify({ atStart, after: texts(), ofQrCodes, ofXml }))
process.exit()
`

async function run() {
  const args = [...NODE_ARGUMENTS, '--input-type=module', '-e', APP]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout)
}

describe('An app that starts', () => {
  it('reads no text and no view before it shows one, then those of one language, once, and draws no QR code', async () => {
    const none = { ofQrCodes: 0, ofXml: 0 }
    expect(await run()).to.deep.equal({ atStart: [], after: ['it.json'], ...none })
  })
})
