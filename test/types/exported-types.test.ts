import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** A name, and the file that it comes from. */
interface Place {
  readonly file: string
  readonly name: string
}

/** A file of declarations: what it declares, and the names that it has from other files. */
interface Declarations {
  readonly declared: ReadonlyMap<string, { readonly isType: boolean; readonly text: string }>
  readonly imported: ReadonlyMap<string, Place>
  readonly exported: readonly Place[]
}

const DECLARATION = /^(?:export )?(?:declare )?(interface|type|class|function|const) (\w+)/gm
const MODULE = /(?:\bfrom |\bimport\(|^import )['"]([^'"]+)['"]/gm
const NAMES_FROM = /(import|export) (?:type )?\{([^}]*)\} from '(\.[^']+)'/g

async function read(file: string): Promise<Declarations> {
  const text = (await readFile(file, 'utf8')).replace(/\/\*[\s\S]*?\*\//g, '')
  const starts = [...text.matchAll(DECLARATION)]
  const places = [...text.matchAll(NAMES_FROM)].map(([, kind, names = '', from = '']) => {
    const there = resolve(dirname(file), from).replace(/\.js$/, '.d.ts')
    const list = names.split(',').map((name) => name.replace('type ', '').trim())
    return { kind, of: list.filter((name) => name !== '').map((name) => ({ file: there, name })) }
  })
  const ofKind = (wanted: string) => places.flatMap(({ kind, of }) => (kind === wanted ? of : []))
  return {
    declared: new Map(
      starts.map(({ 1: kind, 2: name = '', index }, i) => {
        const isType = kind === 'interface' || kind === 'type' || kind === 'class'
        const whole = text.slice(index, starts[i + 1]?.index)
        return [name, { isType, text: whole.replace(/'[^'\n]*'/g, '') }] as const
      }),
    ),
    imported: new Map(ofKind('import').map((place) => [place.name, place] as const)),
    exported: ofKind('export'),
  }
}

/** The packages and Node modules that the declarations of `index` load, as a compiler of a host's does. */
async function packagesOf(index: string): Promise<ReadonlySet<string>> {
  const packages = new Set<string>()
  const ahead = [index]
  const seen = new Set<string>()
  for (let file = ahead.pop(); file !== undefined; file = ahead.pop()) {
    if (seen.has(file)) continue
    seen.add(file)
    for (const [, from = ''] of (await readFile(file, 'utf8')).matchAll(MODULE)) {
      if (from.startsWith('.')) ahead.push(resolve(dirname(file), from).replace(/\.js$/, '.d.ts'))
      else packages.add(from)
    }
  }
  return packages
}

/** The types that what `index` exports leads to, as `file#name`, and those that it exports itself. */
async function typesOf(index: string) {
  const { exported } = await read(index)
  const reached = new Set<string>()
  const ahead = [...exported]
  const seen = new Set<string>()
  const key = ({ file, name }: Place) => `${relative(dirname(index), file)}#${name}`
  for (let place = ahead.pop(); place !== undefined; place = ahead.pop()) {
    if (seen.has(key(place))) continue
    seen.add(key(place))
    const { file } = place
    const { declared, imported } = await read(file)
    const declaration = declared.get(place.name)
    if (declaration === undefined) throw new Error(`${key(place)} is not found`)
    if (declaration.isType) reached.add(key(place))
    for (const name of declaration.text.match(/\w+/g) ?? []) {
      const next = imported.get(name) ?? (declared.has(name) ? { file, name } : undefined)
      if (next !== undefined) ahead.push(next)
    }
  }
  return { reached, named: new Set(exported.map(key)) }
}

describe('the types that the package exports', () => {
  let folder: string

  before(async function () {
    this.timeout(60_000)
    folder = await mkdtemp(join(tmpdir(), 'declarations-'))
    const options = ['--project', join(ROOT, 'tsconfig.build.json'), '--outDir', folder]
    const compiler = join(ROOT, 'node_modules/.bin/tsc')
    await promisify(execFile)(compiler, [
      ...options,
      '--emitDeclarationOnly',
      '--sourceMap',
      'false',
    ])
  })

  after(() => rm(folder, { recursive: true, force: true }))

  it('include every type in their signatures, so that a host can name each value', async () => {
    const { reached, named } = await typesOf(join(folder, 'index.d.ts'))
    expect(reached).to.include('options/options.d.ts#Described')
    expect([...reached].filter((type) => !named.has(type))).to.deep.equal([])
  })

  // Whoever compiles without `skipLibCheck` would have to install a database client they don't use.
  for (const index of ['index.d.ts', 'testing/index.d.ts']) {
    it(`load no package that is optional (${index})`, async () => {
      const required = /^(express|express-serve-static-core|express-session|passport|node:\w+)$/
      const packages = [...(await packagesOf(join(folder, index)))]
      expect(packages.filter((name) => !required.test(name))).to.deep.equal([])
    })
  }
})
