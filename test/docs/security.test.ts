import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'

const ROOT = new URL('../../', import.meta.url)
const PROMISES = 9

const policy = () => readFileSync(new URL('SECURITY.md', ROOT), 'utf8')
const linksOf = (text: string) =>
  [...text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path = '']) => path)

/** The numbered promises, each with everything up to the next. */
function promisesOf(text: string): readonly string[] {
  const [, section = ''] = text.split('\n## What the package promises\n')
  const [list = ''] = section.split('\n## ')
  return list.split(/\n(?=\d+\. )/).slice(1)
}

describe('SECURITY.md', () => {
  it('links only to files that exist', () => {
    const dead = linksOf(policy()).filter((path) => !existsSync(new URL(path, ROOT)))
    expect(dead).to.deep.equal([])
  })

  it('links each promise to at least one test', () => {
    const promises = promisesOf(policy())
    expect(promises).to.have.length(PROMISES)
    for (const promise of promises) {
      expect(linksOf(promise).filter((path) => path.endsWith('.test.ts'))).not.to.deep.equal([])
    }
  })

  it('names every test of test/promises', () => {
    const linked = new Set(promisesOf(policy()).flatMap(linksOf))
    const files = readdirSync(new URL('test/promises/', ROOT)).filter((file) =>
      /\.test\.ts$/.test(file),
    )
    expect(files.filter((file) => !linked.has(`test/promises/${file}`))).to.deep.equal([])
  })
})
