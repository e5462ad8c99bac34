import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { expect } from 'chai'

/** What every room of lib/web/ stands on. */
const BELOW_THE_WEB = [
  ...['service', 'domain', 'factors', 'ports', 'errors'],
  ...['express', 'express-session', 'passport'],
  ...['node:fs', 'node:http', 'node:net', 'node:path', 'node:url'],
]

/**
 * Who may import whom. A row is a folder of lib/, a room of lib/web/ or a file at the top of lib/; a
 * word in it is another row, a single file of one, a package, or `*` for anything. Types count: what is
 * imported for its type alone is known all the same. Each row may import itself.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  factors: ['node:crypto', 'otplib'],
  domain: ['factors', 'node:crypto'],
  ports: ['domain', 'factors', 'errors', 'node:crypto'],
  service: ['domain', 'factors', 'ports', 'errors', 'node:events'],
  // A store counts in its own place too, for hosts that name no other.
  stores: [
    ...['domain', 'ports', 'errors', 'redis', 'node:crypto', 'knex'],
    ...['limits/knex-counters', 'limits/redis-counters'],
  ],
  redis: ['domain', 'ports', 'errors', 'node:crypto'],
  keys: ['domain', 'ports', 'errors', 'node:crypto'],
  limits: [
    ...['domain', 'ports', 'errors', 'redis', 'node:crypto', 'rate-limiter-flexible', 'knex'],
    // Whatever lives in a database runs its commands the same way.
    ...['stores/knex-client', 'stores/knex-instance'],
  ],
  text: [
    ...['service', 'domain', 'factors', 'ports', 'errors'],
    ...['ejs', 'intl-messageformat', 'node:fs', 'node:path', 'node:url'],
    // The hash of the style that a page has in itself.
    'node:crypto',
  ],
  'web/request': [...BELOW_THE_WEB, 'text'],
  'web/routing': [...BELOW_THE_WEB, 'text', 'web/request'],
  'web/login': [...BELOW_THE_WEB, 'text', 'web/request', 'web/routing'],
  'web/user': [...BELOW_THE_WEB, 'qrcode', 'text', 'web/request', 'web/routing', 'web/login'],
  // The admin router signs nobody in.
  'web/admin': [...BELOW_THE_WEB, 'text', 'web/request', 'web/routing'],
  testing: ['domain', 'factors', 'ports', 'node:assert', 'node:crypto'],
  cli: ['*'],
  options: ['*'],
  wiring: ['*'],
  'second-step': ['*'],
  index: ['*'],
}

/** What knows Express and Passport; everything else works without a web server. */
const MAY_KNOW_THE_WEB = [
  ...['web/request', 'web/routing', 'web/login', 'web/user', 'web/admin'],
  ...['options', 'wiring', 'second-step', 'index'],
]
const THE_WEB = /^(express|express-session|passport|passport-.+|@types\/.+)$/

/** What each of these words is used by, and no other file. What is for tests has its own. */
const MAY_USE: readonly { readonly what: string; readonly word: RegExp; readonly in: string[] }[] =
  [
    {
      what: 'the clock',
      word: /\bDate\.now\b|\bnew Date(?!\w)(?!\(\s*[^\s)])|(?<!new )\bDate\(/,
      in: ['ports/system', 'testing/virtual-authenticator'],
    },
    {
      what: 'randomness',
      word: /\bMath\.random\b|\brandom(?:Bytes|UUID|Int|Fill|FillSync)\b|\bgetRandomValues\b/,
      in: ['ports/system', 'testing/documents'],
    },
  ]

const LIB = new URL('../lib/', import.meta.url)
const files = readdirSync(LIB, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts'))

const COMMENT_OR_STRING =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g
const SPECIFIER = /\b(?:from|import|module|require)\s*\(?\s*['"]([^'"]+)['"]/g

function withoutComments(source: string): string {
  return source.replace(COMMENT_OR_STRING, (part) => (part.startsWith('/') ? ' ' : part))
}

function withoutStrings(source: string): string {
  return source.replace(COMMENT_OR_STRING, (part) => (part.startsWith('/') ? ' ' : "''"))
}

/** The file's name without its ending: `web/guard`. */
function nameOf(file: string): string {
  return file.replace(/\.ts$/, '')
}

/** The row that a file belongs to: `web/login` for `web/login/guard`, `index` for itself. */
function rowOf(name: string): string {
  const [folder = '', room = ''] = name.split('/')
  return folder === 'web' ? `${folder}/${room}` : folder
}

/** What a file imports, by the names that the table uses. */
function importsOf(file: string, source: string): readonly string[] {
  const specifiers = [...withoutComments(source).matchAll(SPECIFIER)].map((match) => match[1] ?? '')
  return specifiers.map((specifier) => {
    if (specifier.startsWith('.')) {
      return posix.join(posix.dirname(file), specifier).replace(/\.[jt]s$/, '')
    }
    const parts = specifier.split('/')
    return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
  })
}

function mayImport(file: string, imported: string): boolean {
  const row = rowOf(nameOf(file))
  const allowed = [row, ...(MAY_IMPORT[row] ?? [])]
  return allowed.includes('*') || allowed.includes(imported) || allowed.includes(rowOf(imported))
}

function sourceOf(file: string): string {
  return readFileSync(new URL(file, LIB), 'utf8')
}

describe('the layers of lib/', () => {
  it('are all in the table, and the table has no others', () => {
    const rows = new Set(files.map((file) => rowOf(nameOf(file))))
    expect([...rows].sort()).to.deep.equal(Object.keys(MAY_IMPORT).sort())
  })

  for (const [row, allowed] of Object.entries(MAY_IMPORT)) {
    it(`${row} imports ${allowed.join(', ') || 'nothing'}`, () => {
      const found = files
        .filter((file) => rowOf(nameOf(file)) === row)
        .flatMap((file) => {
          const forbidden = importsOf(file, sourceOf(file)).filter((name) => !mayImport(file, name))
          return forbidden.map((name) => `${file} imports ${name}`)
        })
      expect(found).to.deep.equal([])
    })
  }

  it(`know Express and Passport in ${MAY_KNOW_THE_WEB.join(', ')} alone`, () => {
    const found = files
      .filter((file) => importsOf(file, sourceOf(file)).some((name) => THE_WEB.test(name)))
      .filter((file) => !MAY_KNOW_THE_WEB.includes(rowOf(nameOf(file))))
    expect(found).to.deep.equal([])
  })

  it('take neither time nor chance from node:crypto in the domain', () => {
    const found = files.filter((file) => {
      return rowOf(nameOf(file)) === 'domain' && sourceOf(file).includes('node:crypto')
    })
    for (const file of found) {
      expect(sourceOf(file), file).to.match(/^import \{ timingSafeEqual \} from 'node:crypto'$/m)
    }
  })

  it('have an index that only exports', () => {
    const lines = [
      /import \{[^}]*\} from '[^']+'/g,
      /export (?:type )?(?:\{[^}]*\}|\*(?: as \w+)?) from '[^']+'/g,
      /export const \w+ = \{ (?:\w+(?:, )?)+ \}/g,
    ]
    const index = withoutComments(sourceOf('index.ts'))
    const rest = lines.reduce((source, line) => source.replace(line, ''), index)
    expect(rest.trim()).to.equal('')
  })
})

describe('the words of lib/', () => {
  for (const { what, word, in: allowed } of MAY_USE) {
    it(`take ${what} from ${allowed.join(' and ')} alone`, () => {
      const found = files.filter((file) => {
        return word.test(withoutComments(sourceOf(file))) && !allowed.includes(nameOf(file))
      })
      expect(found).to.deep.equal([])
    })
  }

  it('never say any', () => {
    const found = files.filter((file) => /(?<![.\w])any\b/.test(withoutStrings(sourceOf(file))))
    expect(found).to.deep.equal([])
  })
})

describe('the reading of imports', () => {
  const source = `
    import type { A } from '../../domain/record.js'
    import { B } from './x.js' // from 'comment'
    import { type C,
      D } from "express"
    import 'node:fs/promises'
    export * from '@scope/name/deep'
    /* import 'in-a-comment' */
    declare module 'express-session' { }
    const e = await import('ioredis'), f = require('passport')
  `

  it('finds every form of them, and none in a comment', () => {
    expect(importsOf('web/login/guard.ts', source)).to.deep.equal([
      'domain/record',
      'web/login/x',
      'express',
      'node:fs',
      '@scope/name',
      'express-session',
      'ioredis',
      'passport',
    ])
  })

  it('refuses what the table does not name', () => {
    expect(mayImport('service/challenge.ts', 'express')).to.equal(false)
    expect(mayImport('service/challenge.ts', 'web/login/guard')).to.equal(false)
    expect(mayImport('domain/record.ts', 'ports/system')).to.equal(false)
    expect(mayImport('limits/redis-counters.ts', 'stores/redis-store')).to.equal(false)
    expect(mayImport('limits/redis-counters.ts', 'redis/redis-client')).to.equal(true)
    expect(mayImport('web/request/site.ts', 'web/login/guard')).to.equal(false)
    expect(mayImport('web/admin/user.ts', 'web/login/enter')).to.equal(false)
    expect(mayImport('text/pages.ts', 'web/request/site')).to.equal(false)
    expect(mayImport('web/user/setup.ts', 'web/login/enter')).to.equal(true)
    expect(mayImport('service/challenge.ts', 'service/records')).to.equal(true)
  })
})
