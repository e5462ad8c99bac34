import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { ADMIN_MAILS, MAILS } from '../../lib/service/mails.js'
import { TOLD_MAIL } from '../../lib/text/mail-frame.js'

describe('The reference', () => {
  it('names every mail that a view can be named after', () => {
    const text = readFileSync(new URL('../../docs/reference.md', import.meta.url), 'utf8')
    const names = /^Mails have two views each.*?^A mail's view has/ms.exec(text)?.[0] ?? ''
    const missing = [...MAILS, ...ADMIN_MAILS, TOLD_MAIL].filter(
      (mail) => !names.includes(`\`${mail}\``),
    )
    expect(missing).to.deep.equal([])
  })
})
