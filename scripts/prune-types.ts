import { readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

// npm run build: the compiler writes types for every file. A host's compiler needs what the entries lead
// to; the rest, such as the handlers' own types, would be half of the types that are packed.

const ENTRIES = ['dist/index.d.ts', 'dist/testing/index.d.ts'].map((entry) => resolve(entry))
// What continues a statement is indented, or closes a bracket. A comment belongs to what follows it.
const STATEMENT =
  /(?:\/\*\*(?:[^*]|\*(?!\/))*\*\/\n)*^[^\s})\]/][^\n]*(?:\n(?:[ \t})\]][^\n]*)?)*/gm
const LIST = /^(import|export) (type )?\{([^}]*)\} from '([^']+)';$/
const DECLARATION = /^(?:export )?(?:declare )?(?:interface|type|class|function|const) (\w+)/
/** What Express's types and others get, wherever the file is read. */
const AUGMENTATION = /^declare (?:module|global)\b/
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

const read = new Map<string, Types>()
/** The statements that stay and, of a list, the names that do. */
const kept = new Map<Statement, Set<string>>()

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

function keptText(statement: Statement): readonly string[] {
  const names = kept.get(statement)
  if (names === undefined) return []
  const { text, list } = statement
  if (list === null) return [text]
  const texts = list.names.filter(({ here }) => names.has(here)).map((one) => one.text)
  return [`${list.head}{ ${texts.join(', ')} } from '${list.from}';`]
}

function prune(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) prune(path)
    if (!path.endsWith('.d.ts')) continue
    const texts = (read.get(path)?.statements ?? []).flatMap(keptText)
    if (texts.length === 0) rmSync(path)
    else writeFileSync(path, `${texts.join('\n')}\n`)
  }
  if (readdirSync(folder).length === 0) rmdirSync(folder)
}

for (const entry of ENTRIES) {
  for (const name of typesOf(entry).byName.keys()) need(entry, name)
}
prune(resolve('dist'))
