import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { createSecondStep, errors, memoryStore } from '../../lib/index.js'
import { warningsDuring } from '../support/warnings.js'

describe('A folder of the host’s views', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'views-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const put = (files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
  }
  const check = () => {
    createSecondStep({
      ...{ issuer: 'Acme', origin: 'https://acme.example', store: memoryStore(), views: folder },
      keys: [randomBytes(32).toString('base64')],
    })
  }

  // The mistake: the page stayed ours, and nobody could tell why.
  it('is told of names that are nearly those of ours', async () => {
    const meant = {
      'chalenge.ejs': 'challenge.ejs',
      'Settings.ejs': 'settings.ejs',
      '_from-fields.ejs': '_form-fields.ejs',
      'factors/hotp/_key.ejs': 'factors/totp/_key.ejs',
      'mail/notice.txt.ejs': 'mails/notice.txt.ejs',
      'mails/wrong-cod.html.ejs': 'mails/wrong-code.html.ejs',
    }
    put(Object.fromEntries(Object.keys(meant).map((name) => [name, ''])))
    const said = await warningsDuring(check)
    expect(said).to.have.members(
      Object.entries(meant).map(
        ([name, right]) =>
          `passport-second-step: views: ${name} replaces no view: did you mean ${right}?`,
      ),
    )
  })

  it('may have views of the app’s own, parts of its own, and copies beside what replaces ours', async () => {
    put({
      'list.ejs': '<% broken',
      'home.ejs': '',
      '_header.ejs': '<h1>Acme</h1>',
      '_frame.ejs': "<%- include('_header') %>",
      'settings.ejs': '',
      'settings2.ejs': '',
      'node_modules/other/views/chalenge.ejs': '',
      'mails/wrong-code.txt.ejs': '',
    })
    expect(await warningsDuring(check)).to.deep.equal([])
  })

  // The mistake: a part that no page includes in its usual state failed at a user’s lock, and not at start-up.
  it('is compiled at start-up: parts too, and whatever they include', () => {
    for (const [files, says] of [
      [{ '_reset-pending.ejs': '<% if (' }, /_reset-pending\.ejs can't be compiled/],
      [{ 'factors/totp/_key.ejs': '<% if (' }, /_key\.ejs can't be compiled/],
      [
        { '_head.ejs': "<%- include('own/_part') %>", 'own/_part.ejs': '<% }' },
        /_part\.ejs can't be compiled/,
      ],
      [
        { '_head.ejs': '<%- include("_gone", { a: 1 }) %>' },
        /no view "_gone\.ejs", which .*_head\.ejs includes/,
      ],
    ] as const) {
      put(files)
      expect(check).to.throw(errors.ConfigurationError, says)
      for (const name of Object.keys(files)) rmSync(join(folder, name))
    }
  })

  it('may include itself, ours, and what a comment names', () => {
    put({
      '_head.ejs': "<%# include('_gone') %><% if (0) { %><%- include('_head') %><% } %>",
      'settings.ejs': "<%- include('_events') %><%- include(page) %><%- include('a' + 1) %>",
    })
    expect(check).not.to.throw()
  })
})
