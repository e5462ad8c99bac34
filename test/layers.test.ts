import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import {
  FACTORS_MAY_IMPORT,
  files,
  importsOf,
  LIB,
  MAY_IMPORT,
  MAY_KNOW_THE_WEB,
  mayImport,
  nameOf,
  rowOf,
  sourceOf,
  THE_WEB,
  withoutComments,
  withoutStrings,
} from './support/layers.js'

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
    {
      what: "the raw text of somebody else's error, with the passwords in it,",
      word: /\/text-of\.js'/,
      in: ['errors/explain', 'stores/knex-client'],
    },
  ]

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

  it('have in factors/ the folders of their table, and the table has no others', () => {
    const folders = files.map((file) => factorOf(file)).filter((folder) => folder !== null)
    expect([...new Set(folders)].sort()).to.deep.equal(Object.keys(FACTORS_MAY_IMPORT).sort())
  })

  for (const [folder, allowed] of Object.entries(FACTORS_MAY_IMPORT)) {
    it(`factors/${folder} imports ${['what is beside it', ...allowed].join(' and ')}, and no list of factors`, () => {
      const found = files
        .filter((file) => factorOf(file) === folder)
        .flatMap((file) => importsOf(file, sourceOf(file)).map((name) => ({ file, name })))
        .filter(({ name }) => {
          const other = factorOf(name)
          const isAllowed = other === null || other === folder || allowed.includes(other)
          return !isAllowed || name === 'factors/factors'
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

  // Types may be exported for the signatures that they are part of; index.ts and the entries are for others.
  it('export no function, class or constant that nobody imports', () => {
    const entries = ['index.ts', 'testing/index.ts', 'cli/main.ts']
    const imported = new Set([...files.map(sourceOf), ...tests()].flatMap(namesImported))
    const found = files
      .filter((file) => !entries.includes(file))
      .flatMap((file) => valuesExported(sourceOf(file)).map((name) => `${name} of ${file}`))
      .filter((one) => !imported.has(one.replace(/ of .*/, '')))
    expect(found).to.deep.equal([])
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
    const g: Pick<Query, 'from'> = 'no import'
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

function valuesExported(source: string): readonly string[] {
  const declared = /^export (?:async )?(?:function\*?|const|class) (\w+)/gm
  return [...source.matchAll(declared)].map(([, name = '']) => name)
}

/** The names that a file imports or exports again, and those that it takes out of an `import()`. */
function namesImported(source: string): readonly string[] {
  const lists = /\{([^{}]*)\} (?:from|= await import)\b/g
  return [...withoutComments(source).matchAll(lists)].flatMap(([, list = '']) =>
    list.split(',').map((name) => name.trim().replace(/^type | as .*/g, '')),
  )
}

function tests(): readonly string[] {
  const folders = ['../test/', '../bench/', '../scripts/'].map((path) => new URL(path, LIB))
  return folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.c?ts$/.test(file) && !file.includes('node_modules'))
      .map((file) => readFileSync(new URL(file, folder), 'utf8')),
  )
}

/** The folder of lib/factors/ that a file is in, or null. */
function factorOf(name: string): string | null {
  return /^factors\/([^/]+)\//.exec(name)?.[1] ?? null
}
