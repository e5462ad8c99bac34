import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { ConfigurationError } from '../../lib/errors/configuration-error.js'
import { loadMessages } from '../../lib/web/messages.js'
import { ejsPages, type PageData, type PageFrame, type PageName } from '../../lib/web/pages.js'
import { qrSvg } from '../../lib/web/qr.js'
import { ejsViews } from '../../lib/web/views.js'

const HOSTILE = `<script>alert("1'")</script>&lt;\u202e👾`
const VIEWS = fileURLToPath(new URL('../../views', import.meta.url))
const { t } = loadMessages().for(['en'])

const frame: PageFrame = {
  t,
  lang: 'en',
  dir: 'ltr',
  base: '/second-step',
  issuer: 'Acme',
  formFields: { _csrf: 'token-of-the-host', other: 'field' },
  signIn: '/login',
  signedIn: '/home',
}

const wrongCode = { code: 'wrong-code', detail: t('problem.wrong-code') }
const challenge = { problem: null, backupCode: true, lost: false, trust: false }
const setup = {
  problem: null,
  account: 'anna@example.test',
  issuer: 'Acme',
  key: 'JBSW Y3DP EHPK 3PXP',
  uri: 'otpauth://totp/Acme:anna?secret=JBSWY3DPEHPK3PXP&issuer=Acme',
  qr: await qrSvg('otpauth://totp/x'),
  cancel: true,
}
const codes = ['AAAAAA-BBBBBB-CCCCCC-DDDDDD', 'EEEEEE-FFFFFF-GGGGGG-HHHHHH']
const settings = {
  problem: null,
  enrolled: true,
  method: 'totp',
  since: '2025-03-04T12:00:00.000Z',
  backupCodesLeft: 10,
  backupCodesSaved: true,
}

type State = { [P in PageName]: readonly [string, P, PageData[P]] }[PageName]
const states: readonly State[] = [
  ['challenge', 'challenge', challenge],
  ['challenge, wrong code', 'challenge', { ...challenge, problem: wrongCode }],
  [
    'challenge, wrong backup code',
    'challenge',
    { ...challenge, problem: wrongCode, typedBackupCode: true },
  ],
  ['challenge, all offered', 'challenge', { ...challenge, lost: true, trust: true }],
  ['challenge, no backup codes', 'challenge', { ...challenge, backupCode: false }],
  ['set-up', 'setup', setup],
  ['set-up, wrong code', 'setup', { ...setup, problem: wrongCode, cancel: false }],
  ['backup codes', 'backup-codes', { problem: null, codes, madeAt: new Date(0), next: '/account' }],
  [
    'backup codes switched off',
    'backup-codes',
    { problem: null, codes: [], madeAt: new Date(0), next: '/account' },
  ],
  ['fresh', 'fresh', { problem: null, backupCode: true }],
  ['fresh, wrong code', 'fresh', { problem: wrongCode, backupCode: false }],
  ['settings', 'settings', settings],
  ['settings, codes not saved', 'settings', { ...settings, backupCodesSaved: false }],
  ['settings, no codes left', 'settings', { ...settings, backupCodesLeft: 0 }],
  [
    'settings, not enrolled',
    'settings',
    { ...settings, enrolled: false, method: null, since: null, backupCodesLeft: 0 },
  ],
  ['problem', 'problem', { problem: wrongCode, next: '/second-step/challenge' }],
  ['problem without a way on', 'problem', { problem: wrongCode, next: null }],
]

const render = ejsPages(ejsViews())

async function show<P extends PageName>(page: P, data: PageData[P], more: Partial<PageFrame> = {}) {
  return await render(page, data, { ...frame, ...more })
}

const tags = (html: string, name: string) => html.match(new RegExp(`<${name}\\b[^>]*>`, 'g')) ?? []
const attribute = (tag: string, name: string) => new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]
const forms = (html: string) => html.match(/<form\b.*?<\/form>/gs) ?? []
const visibleFields = (html: string) =>
  tags(html, 'input').filter((tag) => attribute(tag, 'type') !== 'hidden')
const fieldOf = (html: string, id: string) =>
  tags(html, 'input').find((tag) => attribute(tag, 'id') === id) ?? ''

/** The same data with the hostile text in every string of it. */
function hostile<T>(value: T): T
function hostile(value: unknown): unknown {
  if (typeof value === 'string') return value.startsWith('<svg') ? value : HOSTILE
  if (Array.isArray(value)) return value.map(hostile)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  const entries = Object.entries(value).map(([key, each]) => {
    const kept = key === 'code' || key === 'since'
    return [key, kept ? each : hostile(each)] as const
  })
  return Object.fromEntries(entries)
}

for (const [state, page, data] of states) {
  describe(`the page: ${state}`, () => {
    let html: string
    before(async () => {
      html = await show(page, data)
    })

    it('is a whole document with one heading, a title and no index entry', () => {
      expect(html.trimStart()).to.match(/^<!doctype html>\s*<html lang="en" dir="ltr">/)
      expect(html.trimEnd()).to.match(/<\/html>$/)
      expect(tags(html, 'h1')).to.have.length(1)
      expect(html).to.match(/<title>[^<]+ – Acme<\/title>/)
      expect(html).to.contain('<meta name="viewport" content="width=device-width')
      expect(html).to.contain('<meta name="robots" content="noindex">')
      expect(html).not.to.match(/undefined|\[object/)
    })

    it('has nothing inline: one script and one stylesheet of ours', () => {
      expect(html).not.to.match(/<style|\sstyle=|\son\w+\s*=|javascript:/i)
      expect(tags(html, 'script')).to.deep.equal([
        '<script src="/second-step/assets/page.js" defer>',
      ])
      expect(tags(html, 'link')).to.deep.equal([
        '<link rel="stylesheet" href="/second-step/assets/style.css">',
      ])
    })

    it('has a label for every field, and every id once', () => {
      const labelled = tags(html, 'label').map((tag) => attribute(tag, 'for'))
      for (const field of visibleFields(html)) {
        const id = attribute(field, 'id')
        if (id === undefined) expect(html).to.contain(`<label class="tick">${field}`)
        else expect(labelled).to.include(id)
      }
      const ids = [...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id)
      expect(new Set(ids).size).to.equal(ids.length)
      const described = [...html.matchAll(/\saria-(?:describedby|labelledby)="([^"]+)"/g)]
      expect(ids).to.include.members(described.flatMap(([, names]) => names?.split(' ') ?? []))
    })

    it("posts every form to a route of ours, with the host's own fields", () => {
      for (const form of forms(html)) {
        expect(form).to.match(/^<form [^>]*method="post" action="\/second-step\//)
        expect(form).to.contain('<input type="hidden" name="_csrf" value="token-of-the-host">')
        expect(form).to.contain('<input type="hidden" name="other" value="field">')
        expect(tags(form, 'button')).to.have.length(1)
      }
      const outside = html.replace(/<form\b.*?<\/form>/gs, '')
      expect(tags(outside, 'input')).to.have.length(0)
    })

    it('focuses one field at most', () => {
      expect(html.match(/ autofocus/g) ?? []).to.have.length.at.most(1)
    })

    // A display name, an account or a host's field with markup in it must stay text.
    it('escapes whatever it is given', async () => {
      const given = hostile({ ...frame, base: 'x', dir: 'x', lang: 'x', t: undefined })
      const attacked = await render(page, hostile(data), {
        ...frame,
        ...given,
        t,
        formFields: { [HOSTILE]: HOSTILE },
      })
      expect(tags(attacked, 'script')).to.have.length(1)
      expect(attacked).not.to.contain('alert("')
      expect(attacked).not.to.contain("alert('")
      expect(attacked.match(/&lt;script&gt;alert\(&#34;1&#39;&#34;\)/g)).not.to.equal(null)
      expect(tags(attacked, 'input')).to.have.length(tags(html, 'input').length - hostFields(html))
    })
  })
}

/** How many of the host's fields are on the page beyond the first of each form. */
function hostFields(html: string): number {
  return forms(html).length * (Object.keys(frame.formFields).length - 1)
}

describe('the challenge page', () => {
  it('asks for a code where phones offer it and show digits', async () => {
    const field = fieldOf(await show('challenge', challenge), 'code')
    expect(field).to.contain('name="code"')
    expect(field).to.contain('autocomplete="one-time-code"')
    expect(field).to.contain('inputmode="numeric"')
    expect(field).to.contain(' autofocus')
    expect(field).not.to.match(/ (pattern|maxlength)=/)
  })

  it('takes a backup code in a second form that needs no script', async () => {
    const html = await show('challenge', challenge)
    expect(html).to.match(/<details class="other-way">\s*<summary>/)
    const field = fieldOf(html, 'backup-code')
    expect(field).to.contain('name="code"')
    expect(field).to.contain('autocomplete="off"')
    expect(field).to.contain('inputmode="text"')
    const actions = tags(html, 'form').map((tag) => attribute(tag, 'action'))
    const expected = ['/second-step/challenge', '/second-step/challenge', '/second-step/cancel']
    expect(actions).to.deep.equal(expected)
  })

  it('has no backup-code form where backup codes are off', async () => {
    const html = await show('challenge', { ...challenge, backupCode: false })
    expect(html).not.to.contain('<details')
  })

  it('offers trust and the way out for a lost authenticator only when told to', async () => {
    const plain = await show('challenge', challenge)
    expect(plain).not.to.match(/name="trust"|\/lost"/)
    const full = await show('challenge', { ...challenge, lost: true, trust: true })
    expect(full).to.contain('<input type="checkbox" name="trust" value="1">')
    expect(full).to.contain('<a href="/second-step/lost">')
  })

  it('ties a problem to the field and focuses it', async () => {
    const html = await show('challenge', { ...challenge, problem: wrongCode })
    expect(html).to.contain('<p class="problem" id="problem" role="alert">That code')
    expect(html).to.contain('<title>Error: Enter your code – Acme</title>')
    expect(fieldOf(html, 'code')).to.match(
      / autofocus aria-invalid="true" aria-describedby="problem"/,
    )
    expect(fieldOf(html, 'backup-code')).not.to.match(/autofocus|aria-invalid/)
  })

  it('ties a problem with a backup code to that field, and opens its form', async () => {
    const data = { ...challenge, problem: wrongCode, typedBackupCode: true }
    const html = await show('challenge', data)
    expect(html).to.contain('<details class="other-way" open>')
    expect(fieldOf(html, 'backup-code')).to.match(
      / autofocus aria-invalid="true" aria-describedby="problem backup-code-hint"/,
    )
    expect(fieldOf(html, 'code')).not.to.match(/autofocus|aria-invalid/)
  })
})

describe('the set-up page', () => {
  it('shows the QR code as it is, the names apart from the text, and the key', async () => {
    const html = await show('setup', setup)
    expect(html).to.contain(`aria-label="${t('setup.qr')}">${setup.qr}`)
    expect(html).to.contain('<bdi>anna@example.test</bdi>')
    expect(html).to.contain('dir="ltr">JBSW Y3DP EHPK 3PXP</code>')
    expect(html).to.contain(`href="${setup.uri.replace('&', '&amp;')}"`)
  })

  it('begins with the first step, and with the field after a wrong code', async () => {
    expect(await show('setup', setup)).not.to.contain('autofocus')
    const again = await show('setup', { ...setup, problem: wrongCode })
    expect(fieldOf(again, 'code')).to.match(
      / autofocus aria-invalid="true" aria-describedby="problem"/,
    )
  })

  it('offers to cancel only where there is a login to cancel', async () => {
    const actionsOf = (html: string) => tags(html, 'form').map((tag) => attribute(tag, 'action'))
    const both = ['/second-step/setup', '/second-step/cancel']
    expect(actionsOf(await show('setup', setup))).to.deep.equal(both)
    const alone = await show('setup', { ...setup, cancel: false })
    expect(actionsOf(alone)).to.deep.equal(['/second-step/setup'])
  })
})

describe('the page of backup codes', () => {
  const data = { problem: null, codes, madeAt: new Date(0), next: '/account' }

  it('saves the codes to a file without a script: all of them, whose and since when', async () => {
    const link = tags(await show('backup-codes', data, { issuer: 'Acme & Söhne' }), 'a')[0] ?? ''
    expect(attribute(link, 'download')).to.equal('backup-codes.txt')
    const [type, text] = (attribute(link, 'href') ?? '').split(',')
    expect(type).to.equal('data:text/plain;charset=utf-8')
    const lines = decodeURIComponent((text ?? '').replaceAll('&#39;', "'")).split('\r\n')
    expect(lines[0]).to.equal('Acme & Söhne: Backup codes')
    expect(lines[1]).to.match(/^Made on .*\d{4}\./)
    expect(lines.slice(3)).to.deep.equal([...codes, ''])
  })

  it('hides what needs the script until it runs', async () => {
    const html = await show('backup-codes', data)
    const buttons = tags(html, 'button').filter((tag) => attribute(tag, 'type') === 'button')
    expect(buttons).to.have.length(2)
    for (const button of buttons) expect(button).to.match(/ hidden>$/)
  })

  it('goes on after a tick that the browser insists on', async () => {
    const [form] = forms(await show('backup-codes', data))
    expect(form).to.contain('action="/second-step/backup-codes/saved"')
    expect(form).to.contain('<input type="checkbox" name="saved" value="1" required>')
    expect(form).not.to.contain('/account')
  })

  it('without codes just says that it is on, and goes on', async () => {
    const html = await show('backup-codes', { ...data, codes: [] })
    expect(forms(html)).to.have.length(0)
    expect(html).to.contain(t('backup-codes.title-without'))
    expect(html).to.contain('href="/account"')
  })
})

describe('the settings page', () => {
  it('leads to the set-up whoever has none', async () => {
    const html = await show('settings', { ...settings, enrolled: false })
    expect(html).to.contain('href="/second-step/setup"')
    expect(html).to.contain('href="/home"')
  })

  it('minds the visitor of few backup codes, and of ones not saved', async () => {
    const notes = async (more: Partial<PageData['settings']>) =>
      (await show('settings', { ...settings, ...more })).match(/class="note"/g)?.length ?? 0
    expect(await notes({})).to.equal(0)
    expect(await notes({ backupCodesLeft: 4 })).to.equal(0)
    expect(await notes({ backupCodesLeft: 3 })).to.equal(1)
    expect(await notes({ backupCodesLeft: 0, backupCodesSaved: false })).to.equal(1)
    expect(await notes({ backupCodesLeft: 3, backupCodesSaved: false })).to.equal(2)
  })

  it('says since when, for people and for machines', async () => {
    const html = await show('settings', settings)
    expect(html).to.contain(`<time datetime="${settings.since}">March 4, 2025</time>`)
  })
})

describe('the problem page', () => {
  it('has a heading of its own kind, the detail, and a way on', async () => {
    const problem = { code: 'unavailable', detail: 'What is the matter.' }
    const html = await show('problem', { problem, next: '/onward' })
    expect(html).to.contain(`<h1>${t('problem.unavailable.title')}</h1>`)
    expect(html).to.contain('What is the matter.')
    expect(html).to.contain('href="/onward"')
    expect(await show('problem', { problem, next: null })).to.contain('href="/login"')
  })
})

describe("the host's own views", () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'views-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
  const rendered = (pages: typeof render) =>
    pages('fresh', { problem: null, backupCode: false }, frame)

  it('replace a page by its file name, inside our frame and with our parts', async () => {
    write('fresh.ejs', "<h1>Bye from <%= issuer %></h1><%- include('_cancel') %>")
    const html = await rendered(ejsPages(ejsViews(folder)))
    expect(html).to.contain('<h1>Bye from Acme</h1><form class="cancel"')
    expect(html).to.contain('/second-step/assets/style.css')
    const problem = { problem: wrongCode, next: null }
    expect(await ejsPages(ejsViews(folder))('problem', problem, frame)).to.equal(
      await show('problem', problem),
    )
  })

  it('replace a part, also where one of our pages includes it', async () => {
    write('_heading.ejs', '<h1>Theirs: <%= title %></h1>')
    const html = await rendered(ejsPages(ejsViews(folder)))
    expect(html).to.contain(`<h1>Theirs: ${t('fresh.title')}</h1>`)
  })

  it('replace the frame', async () => {
    write('_frame.ejs', '<html lang="<%= lang %>">[<%- body %>]</html>')
    expect(await rendered(ejsPages(ejsViews(folder)))).to.match(
      /^<html lang="en">\[<h1>.*\]\s*<\/html>/s,
    )
  })

  it('include views of their own', async () => {
    write('own.ejs', 'own part of <%= name %>')
    write('_head.ejs', "<%- include('own', { name: issuer }) %>")
    expect(await rendered(ejsPages(ejsViews(folder)))).to.contain('own part of Acme')
  })

  it('do not reach into another instance in the same process', async () => {
    await rendered(ejsPages(ejsViews()))
    write('_heading.ejs', '<h1>Theirs</h1>')
    const theirs = ejsPages(ejsViews(folder))
    expect(await rendered(theirs)).to.contain('<h1>Theirs</h1>')
    expect(await rendered(ejsPages(ejsViews()))).not.to.contain('Theirs')
  })

  it('are refused at start-up where the folder is none', () => {
    write('file', '')
    for (const wrong of [join(folder, 'missing'), join(folder, 'file')]) {
      expect(() => ejsPages(ejsViews(wrong))).to.throw(ConfigurationError, 'views')
    }
  })

  it('are refused at start-up where a page can’t be compiled, by file name', () => {
    write('setup.ejs', '<% if ( %>')
    expect(() => ejsPages(ejsViews(folder))).to.throw(ConfigurationError, 'setup.ejs')
  })

  it('are told which part there is not', () => {
    write('fresh.ejs', "<%- include('_missing') %>")
    expect(() => rendered(ejsPages(ejsViews(folder)))).to.throw('_missing.ejs')
  })
})

describe('what the views print as it is', () => {
  // A raw tag around anything that a person can name is stored cross-site scripting.
  it('is other views and the QR code, nothing else', () => {
    const raw = readdirSync(VIEWS)
      .filter((file) => file.endsWith('.ejs'))
      .flatMap((file) => readFileSync(join(VIEWS, file), 'utf8').match(/<%-.*?%>/g) ?? [])
      .filter((tag) => !/^<%- include\('_[a-z-]+'(, \{[^}]*\})?\) -?%>$/.test(tag))
    expect(raw).to.have.members(['<%- body -%>', '<%- data.qr -%>'])
  })
})
