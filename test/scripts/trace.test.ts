import { realpathSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { traced } from '../../scripts/trace.js'
import { built } from '../support/modules.js'

describe('npm run trace', function () {
  this.timeout(120_000)

  it('tells where in lib/ a stack of the published package leads', async () => {
    await built()
    const dist = pathToFileURL(realpathSync('dist')).href
    const { createSecondStep } = await import(`${dist}/index.js`)
    const { stack } = failureOf(() => createSecondStep({}))
    const ofAHost = String(stack).replaceAll(
      dist,
      'file:///srv/app/node_modules/passport-second-step/dist',
    )
    expect(ofAHost).not.to.contain('lib/')
    expect(traced(ofAHost)).to.match(/at .*\/lib\/options\/[a-z-]+\.ts:\d+:\d+/)
  })
})

function failureOf(run: () => unknown): Error {
  try {
    run()
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('nothing failed')
}
