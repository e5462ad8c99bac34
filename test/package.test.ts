import { execFile } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { inspect, promisify } from 'node:util'
import { brotliDecompressSync } from 'node:zlib'
import { expect } from 'chai'
import express from 'express'
import supertest from 'supertest'
import { LANGUAGES } from '../lib/text/messages.js'
import { built } from './support/modules.js'

interface Packed {
  readonly names: readonly string[]
  readonly size: number
}

let packing: Promise<Packed> | null = null

/** What somebody gets who installs the package. */
function packed(): Promise<Packed> {
  packing ??= pack()
  return packing
}

async function pack(): Promise<Packed> {
  await built()
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts']
  const { stdout } = await promisify(execFile)('npm', args)
  const [{ files, size }] = JSON.parse(stdout)
  return { names: files.map(({ path }: { path: string }) => path), size }
}

describe('The package', function () {
  this.timeout(120_000)

  it('has everything that runs, and documentation', async () => {
    const { names } = await packed()
    expect(names).to.include.members([
      'dist/index.js',
      'dist/index.d.ts',
      'dist/testing/index.js',
      'dist/cli/main.js',
      'views/challenge.ejs',
      'views/assets/style.css',
      'views/mails/notice.html.ejs',
      'messages/en.json',
      'README.md',
      'CHANGELOG.md',
      'LICENSE',
      'docs/reference.md',
    ])
  })

  it('has no source map without its source, no picture and no test, and is small', async () => {
    const { names, size } = await packed()
    const unwanted =
      /\.map$|\.(png|jpe?g|webp|gif)$|^(test|scripts|example-app)\/|\.test\.|(?<!\.d)\.ts$/
    expect(names.filter((name) => unwanted.test(name))).to.deep.equal([])
    expect(size).to.be.below(400_000)
    const index = readFileSync('dist/index.js', 'utf8')
    expect(index).not.to.contain('sourceMappingURL')
  })

  it('has every text of every language', async () => {
    await built()
    const { createSecondStep, errors, memoryStore } = await import(
      pathToFileURL(realpathSync('dist/index.js')).href
    )
    const options = {
      issuer: 'Acme',
      origin: 'https://acme.example',
      users: { findById: () => null },
    }
    const keys = ['3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs=']
    const secondStep = createSecondStep({ ...options, keys, store: memoryStore() })
    const app = express()
      .get('/', () => {
        throw new errors.UnavailableError('the store')
      })
      .use(secondStep.errorHandler())
    expect((await packed()).names).to.include.members(['messages/en.json', 'dist/messages/ru.br'])
    for (const lang of LANGUAGES) {
      const texts = JSON.parse(readFileSync(`messages/${lang}.json`, 'utf8'))
      const asked = supertest(app)
        .get('/')
        .set({ accept: 'application/json', 'accept-language': lang })
      expect((await asked).body.detail).to.equal(texts['problem.unavailable'])
      if (lang === 'en') continue
      const packedTexts = brotliDecompressSync(readFileSync(`dist/messages/${lang}.br`)).toString()
      expect(JSON.parse(packedTexts)).to.deep.equal(Object.values(texts))
    }
  })

  // Its other names are short: an operator read "ee [UnavailableError]".
  it('shows its errors by their names', async () => {
    await built()
    const { errors } = await import(pathToFileURL(realpathSync('dist/index.js')).href)
    for (const [name, thrown] of Object.entries<new (text: string) => Error>(errors)) {
      expect(inspect(new thrown('x'))).to.match(new RegExp(`^${name}: `))
    }
  })

  // Half of the types were those of handlers and services, which no host can name.
  it('has the types that an app can name, with what they need, and no others', async () => {
    const { names } = await packed()
    const entries = ['dist/index.d.ts', 'dist/testing/index.d.ts']
    expect(names.filter((name) => name.endsWith('.d.ts'))).to.have.members(entries)
    const [index = '', testing = ''] = entries.map((name) => readFileSync(name, 'utf8'))
    expect(index).to.contain('export interface PendingInfo').and.contain('interface SessionData')
    expect(index).not.to.contain('interface Site')
    expect(testing).to.contain('export interface StoreUnderTest').and.contain("from '../index.js'")
    expect(testing).not.to.contain('interface RecordStore')
  })

  it('exports no value that its types alone need', async () => {
    await built()
    const index = readFileSync('dist/index.d.ts', 'utf8')
    expect(index).to.match(/^declare const PROBLEM_STATUS\b/m)
    expect(index).to.match(/^declare class SecondStepEvents\b/m)
    expect(index).to.match(/^export type \{ SecondStepEvents \};$/m)
  })

  // Node spends a third of a millisecond on each module: 290 of them were half of an app's start.
  it('has its JavaScript in few files', async () => {
    const { names } = await packed()
    const modules = names.filter((name) => /^dist\/.*\.js$/.test(name))
    expect(modules.length).to.be.within(3, 10)
  })

  it('has no page about the source, which is in a clone alone', async () => {
    expect((await packed()).names).not.to.include('docs/architecture.md')
    expect((await packed()).names).not.to.include('docs/fleet.md')
  })

  it('has a README that begins with what it is and how to install it', () => {
    const readme = readFileSync('README.md', 'utf8')
    const commands = readme.match(/(?<=^```sh\n)npm [^\n]+/gm) ?? []
    expect(commands[0]).to.match(/^npm install passport-second-step\b/)
    const [, ofTheClone = ''] = /\n(#+ [^\n]+\n+[^#]*)```sh\nnpm ci && npm start/.exec(readme) ?? []
    expect(ofTheClone).to.contain('clone')
  })

  // A picture or a page that is only in the repository is a dead link for whoever installed this.
  it('has every file that its documentation links to, but for those that are said to be in a clone', async () => {
    const { names } = await packed()
    for (const name of [
      'README.md',
      'docs/reference.md',
      'docs/operating.md',
      'docs/your-own-database.md',
    ]) {
      const text = readFileSync(name, 'utf8').replace(/## Try it[\s\S]*?(?=\n## |$)/, '')
      const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)|(?:src|srcset)="([^"]+)"/g)]
      const base = new URL(name, 'file:///')
      for (const [, link, source] of links) {
        const path = new URL(link ?? source ?? '', base).pathname.slice(1)
        const there = names.some((one) => one === path || one.startsWith(`${path}/`))
        expect(there, `${name}: ${path}`).to.equal(true)
      }
    }
  })
})
