import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'

const path = (from: string) => fileURLToPath(new URL(from, import.meta.url))

/** What the compiler says about the files of this folder, compiled with nothing beside them. */
async function compile(): Promise<string> {
  const compiler = path('../../node_modules/.bin/tsc')
  const run = promisify(execFile)(compiler, ['--noEmit', '--project', path('tsconfig.json')])
  const { stdout } = await run.catch((failed: { stdout: string }) => failed)
  return stdout
}

describe('the types, for a host that imports only the package’s public modules', () => {
  it('let `secondStep: false` stand in passport.authenticate() and req.logIn()', async function () {
    this.timeout(60_000)
    expect(await compile()).to.equal('')
  })
})
