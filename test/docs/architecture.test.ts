import { existsSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { DRAWING, drawing } from '../../scripts/draw-architecture.js'
import { MAY_IMPORT } from '../support/layers.js'

const PAGES = ['docs/architecture.md', 'CONTRIBUTING.md']
const ROOT = new URL('../../', import.meta.url)

describe('the pages about the source', () => {
  for (const page of PAGES) {
    it(`${page} links only to files that exist`, () => {
      const url = new URL(page, ROOT)
      const links = [...readFileSync(url, 'utf8').matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)]
      const dead = links.filter(([, path = '']) => !existsSync(new URL(path, url)))
      expect(dead.map(([, path]) => path)).to.deep.equal([])
      expect(links).not.to.deep.equal([])
    })
  }

  it('name every folder of lib/', () => {
    const text = readFileSync(new URL('docs/architecture.md', ROOT), 'utf8')
    const folders = Object.keys(MAY_IMPORT).filter((row) =>
      existsSync(new URL(`lib/${row}/`, ROOT)),
    )
    expect(folders.filter((folder) => !text.includes(`(../lib/${folder})`))).to.deep.equal([])
  })

  it('show what lib/ imports; if not: npm run draw', () => {
    expect(readFileSync(DRAWING, 'utf8')).to.equal(drawing())
  })
})
