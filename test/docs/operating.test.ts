// A dashboard or an alert with a name that nothing emits looks as if all were well.

import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { ALLOWED, measuredEverything, meters } from '../support/measured.js'

const PAGES = ['grafana-dashboard.json', 'prometheus-rules.yml']

function read(name: string): string {
  return readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')
}

/** The queries of a page: what is in it of PromQL, its quotes as they are there. */
function queriesOf(page: string): string {
  return read(`monitoring/${page}`).replaceAll('\\"', '"')
}

const NAME = /\bsecond_step_\w+/g
const FAMILY = /_(?:bucket|sum|count)$/

describe('the pages for operators', () => {
  let emitted: ReadonlySet<string>
  before(async () => {
    emitted = new Set((await measuredEverything(meters())).map(({ name }) => name))
  })

  for (const page of PAGES) {
    it(`ask only for what is emitted: ${page}`, () => {
      const names = [...queriesOf(page).matchAll(NAME)].map(([name]) => name)
      expect(names.filter((name) => !emitted.has(name))).to.deep.equal([])
      const families = new Set(names.map((name) => name.replace(FAMILY, '')))
      expect([...families].sort()).to.deep.equal(Object.keys(ALLOWED).sort())
    })

    it(`ask only for attributes and values that there are: ${page}`, () => {
      const asked = [...queriesOf(page).matchAll(/(second_step_\w+)\{([^}]*)\}/g)]
      expect(asked).not.to.deep.equal([])
      for (const [, name = '', selectors = ''] of asked) {
        const allowed = ALLOWED[name.replace(FAMILY, '')] ?? {}
        for (const [, label = '', values = ''] of selectors.matchAll(
          /(\w+)(?:=~|!=|=)"([^"]*)"/g,
        )) {
          expect(allowed[label], `${name}: ${label}`).to.include.members(values.split('|'))
        }
      }
    })
  }

  it('have a dashboard that Grafana can read', () => {
    const { panels } = JSON.parse(read('monitoring/grafana-dashboard.json'))
    expect(panels).to.have.length.above(3)
  })

  it('name in a table every metric, and every attribute of it', () => {
    const rows = [
      ...read('operating.md').matchAll(/^\| `(second_step_\w+)` \| `([\w.]+)` \| (.*) \|$/gm),
    ]
    expect(rows.map(([, name]) => name).sort()).to.deep.equal(Object.keys(ALLOWED).sort())
    for (const [, name = '', , attributes = ''] of rows) {
      for (const label of Object.keys(ALLOWED[name] ?? {}))
        expect(attributes).to.contain(`\`${label}\``)
    }
    const ports = rows.find(([, name]) => name === 'second_step_port_seconds')?.[3] ?? ''
    for (const port of ALLOWED.second_step_port_seconds?.port ?? [])
      expect(ports).to.contain(`\`${port}\``)
  })
})
