import { readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

// npm run build: the compiler writes types for every file. A host's compiler needs what the entries lead
// to; the rest, such as the handlers' own types, would be half of the types that are packed. Of each entry one file
// is made: the heads of a hundred files, and what they import from each other, were a seventh of what is left.

/** The later ones import what the first has. */
const ENTRIES = ['dist/index.d.ts', 'dist/testing/index.d.ts'].map((entry) => resolve(entry))
// What continues a statement is indented, or closes a bracket. A comment belongs to what follows it.
const STATEMENT =
  /(?:\/\*\*(?:[^*]|\*(?!\/))*\*\/\n)*^[^\s})\]/][^\n]*(?:\n(?:[ \t})\]][^\n]*)?)*/gm
const LIST = /^(import|export) (type )?\{([^}]*)\} from '([^']+)';$/
const DECLARATION = /^(?:export )?(?:declare )?(?:interface|type|class|function|const) (\w+)/
/** What Express's types and others get, wherever the file is read. */
const AUGMENTATION = /^declare (?:module|global)\b/
const VALUE = /^(?:export )?(?:declare )?(?:class|function|const)\b/
/** A word that may name a type: no property and no method. */
const NAME = /(?<![.\w$])[\w$]+(?![\w$]|\??[:(])/g
const COMMENT_OR_STRING = /\/\*[\s\S]*?\*\/|'[^'\n]*'|"[^"\n]*"/g

/** A name in a list, as it stands there, in the other file, and in this one. */
interface Listed {
  readonly text: string
  readonly there: string
  readonly here: string
}

interface Statement {
  readonly text: string
  /** Without comments and strings. */
  readonly code: string
  /** Of an import or export from another file. */
  readonly list: {
    readonly head: string
    readonly from: string
    readonly names: readonly Listed[]
  } | null
}

interface Types {
  readonly statements: readonly Statement[]
  readonly byName: ReadonlyMap<string, readonly Statement[]>
}

interface Found {
  readonly file: string
  readonly statement: Statement
}

const read = new Map<string, Types>()
/** The statements that stay and, of a list, the names that do. */
const kept = new Map<Statement, Set<string>>()
/** Those that an entry's file has. */
const taken = new Set<Statement>()
/** Where each name is declared, and the entry whose file has it. */
const homes = new Map<string, { readonly file: string; readonly entry: string }>()

function typesOf(file: string): Types {
  const known = read.get(file)
  if (known !== undefined) return known
  const statements = (readFileSync(file, 'utf8').match(STATEMENT) ?? []).map(statementOf)
  const byName = new Map<string, Statement[]>()
  for (const one of statements) {
    for (const name of namesOf(one)) byName.set(name, [...(byName.get(name) ?? []), one])
  }
  const types = { statements, byName }
  read.set(file, types)
  for (const one of statements) if (AUGMENTATION.test(one.code)) keep(file, one, '')
  return types
}

function statementOf(part: string): Statement {
  const text = part.trimEnd()
  const code = text.replace(COMMENT_OR_STRING, '').trimStart()
  const [, kind, type = '', names = '', from = ''] = LIST.exec(text) ?? []
  if (kind === undefined) return { text, code, list: null }
  const listed = names.split(',').map((name) => name.trim())
  return {
    text,
    code,
    list: { head: `${kind} ${type}`, from, names: listed.filter(Boolean).map(listedAs) },
  }
}

function listedAs(text: string): Listed {
  const [there = '', here = there] = text.replace(/^type /, '').split(' as ')
  return { text, there, here }
}

function namesOf({ code, list }: Statement): readonly string[] {
  return list?.names.map(({ here }) => here) ?? DECLARATION.exec(code)?.slice(1) ?? []
}

/** Keeps what a file has by this name, and all that this needs. */
function need(file: string, name: string): boolean {
  const found = typesOf(file).byName.get(name) ?? []
  for (const statement of found) keep(file, statement, name)
  return found.length > 0
}

function keep(file: string, statement: Statement, name: string): void {
  const { code, list } = statement
  const names = kept.get(statement)
  if (names !== undefined && (list === null || names.has(name))) return
  kept.set(statement, (names ?? new Set()).add(name))
  if (list === null) {
    for (const word of new Set(code.match(/[\w$]+/g))) need(file, word)
    return
  }
  const there = list.names.find(({ here }) => here === name)?.there ?? name
  if (list.from.startsWith('.') && !need(otherFile(file, list.from), there)) {
    throw new Error(`${file} takes ${there} from ${list.from}, where it is not`)
  }
}

function otherFile(file: string, from: string): string {
  return resolve(dirname(file), from.replace(/\.js$/, '.d.ts'))
}

/** What this entry needs and no earlier one does, each with the file that it is in. */
function newlyKept(entry: string): readonly Found[] {
  for (const name of typesOf(entry).byName.keys()) need(entry, name)
  const found = [...read].flatMap(([file, { statements }]) =>
    statements.map((statement) => ({ file, statement })),
  )
  const own = found.filter(({ statement: one }) => kept.has(one) && !one.list && !taken.has(one))
  for (const { file, statement } of own) {
    taken.add(statement)
    for (const name of namesOf(statement)) {
      const other = homes.get(name)?.file ?? file
      if (other !== file) throw new Error(`${file} and ${other} both have a type ${name}`)
      homes.set(name, { file, entry })
    }
  }
  return own
}

/** The import of every name that these use and another package or an earlier entry has. */
function importsOf(entry: string, own: readonly Found[]): readonly string[] {
  const imports = new Map<string, Set<string>>()
  const add = (start: string, name: string) => {
    imports.set(start, (imports.get(start) ?? new Set()).add(name))
  }
  for (const { file, statement } of own) {
    for (const [word] of statement.code.matchAll(NAME)) {
      const [named] = typesOf(file).byName.get(word) ?? []
      const home = homes.get(word)
      if (named === undefined && home !== undefined) {
        throw new Error(`${file} uses another ${word} than the one of ${home.file}`)
      }
      if (named?.list && !named.list.from.startsWith('.')) {
        add(`${named.list.head}|${named.list.from}`, word)
      } else if (named !== undefined && home !== undefined && home.entry !== entry) {
        if (exportOf(home.entry, word) === null) throw new Error(`${home.entry} has no ${word}`)
        add(`import type |${pathTo(entry, home.entry)}`, word)
      }
    }
  }
  return [...imports].map(([start, names]) => {
    const [kind, from] = start.split('|')
    return `${kind}{ ${[...names].sort().join(', ')} } from '${from}';`
  })
}

function pathTo(entry: string, other: string): string {
  return relative(dirname(entry), other).replace(/\.d\.ts$/, '.js')
}

/** How an entry exports a name: a class may be there as a type alone. Null: it does not. */
function exportOf(entry: string, name: string): 'type' | 'whole' | null {
  for (const { code, list } of typesOf(entry).byName.get(name) ?? []) {
    if (list === null && code.startsWith('export ')) return 'whole'
    if (!list?.head.startsWith('export')) continue
    const { text = '' } = list.names.find(({ here }) => here === name) ?? {}
    return /type /.test(list.head + text) ? 'type' : 'whole'
  }
  return null
}

/** One file of all that an entry needs, which exports what the entry does. */
function packed(entry: string): string {
  const own = newlyKept(entry)
  const asTypes: string[] = []
  const texts = own.map(({ statement: { text, code } }) => {
    const [, name = ''] = DECLARATION.exec(code) ?? []
    const how = exportOf(entry, name)
    if (how === 'whole' || (how === 'type' && !VALUE.test(code))) return text
    if (how === 'type') asTypes.push(name)
    return text.replace(/^export /m, '')
  })
  // A file of types that has no such list exports whatever it declares.
  const list = `export type { ${asTypes.join(', ')} };`
  return `${[...importsOf(entry, own), ...texts, list].join('\n')}\n`
}

function leave(folder: string, files: ReadonlyMap<string, string>): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) leave(path, files)
    if (path.endsWith('.d.ts') && !files.has(path)) rmSync(path)
  }
  if (readdirSync(folder).length === 0) rmdirSync(folder)
}

const files = new Map(ENTRIES.map((entry) => [entry, packed(entry)] as const))
for (const [entry, text] of files) writeFileSync(entry, text)
leave(resolve('dist'), files)
