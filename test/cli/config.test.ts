import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { readOptions } from '../../lib/cli/config.js'
import { messageOf } from '../../lib/cli/message.js'
import { openPatiently } from '../../lib/cli/patience.js'
import { moduleFile, moduleUrl } from '../support/modules.js'

const LIB = moduleUrl('lib/index')
const SECRET = 'hunter2'

describe('A config of the command line that cannot be loaded', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'second-step-config-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  async function failureOf(name: string, text: string | null): Promise<string> {
    const file = join(folder, name)
    if (text !== null) await writeFile(file, text)
    const error = await readOptions(file).then(
      () => new Error('it was loaded'),
      (reason: unknown) => reason,
    )
    const message = messageOf(error)
    expect(message).to.contain(file).and.not.contain('\n')
    return message
  }

  // A driver repeats the connection string, password and all, and the terminal is in a CI's log.
  const telling: Record<string, string> = {
    'its own error': `const url = 'postgres://app:${SECRET}@db'\n\nthrow new Error('cannot reach ' + url)`,
    'a type error': `const url = 'postgres://app:${SECRET}@db'\n\nnull[url]`,
    'JSON that is none': `const keys = '${SECRET}'\n\nJSON.parse(keys)`,
    'a rejection': `const f = async () => {\n\n  throw new Error('${SECRET}') }\nawait f()`,
  }
  for (const [name, text] of Object.entries(telling)) {
    it(`tells where it throws, and not what: ${name}`, async () => {
      const file = `${name.replaceAll(' ', '-')}.mjs`
      const message = await failureOf(file, text)
      expect(message).to.not.contain(SECRET)
      expect(message).to.match(new RegExp(`throws \\w*Error \\(${join(folder, file)}:3:\\d+\\)`))
      expect(message).to.contain(`node ${join(folder, file)}`)
    })
  }

  it('does not repeat a thrown value that is not an Error', async () => {
    expect(await failureOf('text.mjs', `throw '${SECRET}'`)).to.not.contain(SECRET)
    const rejected = `throw Object.assign(Object.create(null), { a: '${SECRET}' })`
    expect(await failureOf('object.mjs', rejected)).to.not.contain(SECRET)
  })

  it('does not fail at an error that cannot be read', async () => {
    const getter = `{ get() { throw new Error('${SECRET}') } }`
    const text = `throw Object.defineProperty(new Error('x'), 'message', ${getter})`
    expect(await failureOf('getter.mjs', text))
      .to.contain('cannot be loaded')
      .and.not.contain(SECRET)
  })

  it('tells the code of a failure of the system', async () => {
    const text = `import { readFileSync } from 'node:fs'\nreadFileSync('/${SECRET}')`
    const message = await failureOf('read.mjs', text)
    expect(message).to.contain('throws Error ENOENT').and.not.contain(SECRET)
  })

  // The attack: a host's error bears a name or code of ours or of Node's loader, and its message, which
  // holds a password, is printed whole. Many programs have a class that is named ConfigurationError.
  const alike: Record<string, string> = {
    'its name': `Object.assign(new Error('${SECRET}'), { name: 'ConfigurationError' })`,
    'its code': `Object.assign(new Error('${SECRET}'), { code: 'ERR_MODULE_NOT_FOUND' })`,
    'its code and text': `Object.assign(new Error('${SECRET}\\n    at f (node:internal/modules/a:1:1)'), { code: 'ERR_MODULE_NOT_FOUND' })`,
    'a word that is no name': `Object.assign(new Error('x'), { name: 'cannot reach ${SECRET}' })`,
    'a text that is no code': `Object.assign(new Error('x'), { code: 'cannot reach ${SECRET}' })`,
  }
  for (const [what, thrown] of Object.entries(alike)) {
    it(`does not take an error for its own or for Node's by ${what}`, async () => {
      const file = `alike-${what.replaceAll(' ', '-')}.mjs`
      expect(await failureOf(file, `\nthrow ${thrown}`)).to.not.contain(SECRET)
    })
  }

  it('knows its own errors also from another copy of the package', async () => {
    const source = moduleFile('lib/errors/configuration-error')
    const copy = join(folder, `copy${extname(source)}`)
    await copyFile(source, copy)
    const url = pathToFileURL(copy).href
    const text = `import { ConfigurationError } from '${url}'
      throw new ConfigurationError('the fix is this')`
    expect(await failureOf('copied.mjs', text)).to.contain('the fix is this')

    const { ConfigurationError } = await import(url)
    let tries = 0
    const open = () => {
      tries += 1
      return Promise.reject(new ConfigurationError('the fix is this'))
    }
    await openPatiently(open).catch(() => undefined)
    expect(tries, 'a mistake is told at once').to.equal(1)
  })

  it('repeats the message of an error of Node or of this package', async () => {
    expect(await failureOf('missing.mjs', null)).to.contain('Cannot find module')
    const noPackage = await failureOf('package.mjs', "import x from 'no-such-package'")
    expect(noPackage).to.contain("Cannot find package 'no-such-package'")
    const noExport = await failureOf('export.mjs', "\nimport { nope } from 'node:fs'")
    expect(noExport).to.contain("named 'nope'").and.contain('export.mjs:2')
    const text = await failureOf('syntax.mjs', 'const a = 1\n\nexport default {')
    expect(text).to.contain('Unexpected end of input').and.contain('syntax.mjs:3')
    const linked = await failureOf('linked.mjs', "import { nope } from 'node:os'")
    expect(linked).to.contain("named 'nope'")
    const ours = `import { redisStore } from '${LIB}'\nexport default { store: redisStore({}) }`
    expect(await failureOf('ours.mjs', ours)).to.contain('needs an ioredis client')
  })

  it('does not quote code that cannot be parsed: it may be a secret with a quotation mark', async () => {
    for (const code of [
      'const password = "p4ss"hunter2;',
      'const password = `p4ss`hunter2 hunter2;',
      'const pattern = /hunter2(/;',
      'let hunter2; let hunter2;',
      '@hunter2',
    ]) {
      const text = await failureOf('parse.mjs', `\n${code}`)
      expect(text, code).to.contain('parse.mjs:2').and.not.contain('hunter2')
    }
  })
})

describe('An error in one line', () => {
  it('has no password of an address in it, and no value of a password', () => {
    const driver = 'no answer from postgres://app:hunter2@db:5432/app?password=hunter2&ssl=1'
    expect(messageOf(new Error(driver))).to.equal(
      'no answer from postgres://…@db:5432/app?password=…',
    )
  })
})
