import { expect } from 'chai'
import type { Signals } from '../../lib/ports/signals.js'
import { ChangeNews } from '../../lib/service/change-news.js'

// The mistake: a store's own signals throw, or return no promise, and every change is refused though it has taken place.
it('signals that fail at once refuse no change, and the operator is told', async () => {
  const failed = new Error('no connection')
  const told: unknown[] = []
  const sends = [
    () => {
      throw failed
    },
    () => undefined,
  ]
  for (const send of sends) {
    const signals = { send, listen: () => ({ close: () => undefined }) } as unknown as Signals
    const keptLooks = { drop: () => undefined, dropAll: () => undefined }
    const report = (error: unknown) => void told.push(error)
    const news = new ChangeNews({ keptLooks, signals, realm: '', report })
    news.over('ann', true)
    await news.close()
  }
  expect(told).to.deep.equal([failed])
})
