import { system } from '../ports/system.js'
import { Reseal } from '../service/reseal.js'
import { type App, withApp } from './app.js'
import type { Command, Outcome } from './command.js'
import { passedOver, type Reading, readEveryRecord } from './every-record.js'
import { KeyUse } from './key-use.js'
import { type Progress, progress } from './progress.js'

/** `reseal`: every secret under the first key. */
export const reseal: Command = {
  summary: 'Seals every secret anew under the first key.',
  usage: '--config FILE',
  help: `--config FILE  the options of createSecondStep
--json         prints the result as JSON
Safe while the app runs, and to be run again where it was stopped. Backup codes and one-time codes
cannot be sealed anew: those made under an earlier key end when that key leaves the ring. What remains
under one is told at the end.`,
  options: ['config', 'json'],
  run: (values) =>
    withApp(values, async (app) => {
      const told = progress('Sealed anew or found in order')
      return report(await sealAll(app, told).finally(told.end))
    }),
}

interface Sealed extends Reading {
  readonly resealed: number
  readonly use: KeyUse
}

async function sealAll(app: App, told: Progress): Promise<Sealed> {
  const { records, vault, store, site, requestInfo } = app
  const isOurs = (userId: string) => site.hostIdOf(userId) !== null
  const service = new Reseal(records, vault)
  const use = new KeyUse(site.keyIds)
  let resealed = 0
  const reading = await readEveryRecord(store, told, isOurs, 'was not sealed', async (record) => {
    const { sealed, upToDate, left } = await service.record(record, requestInfo)
    if (sealed > 0) resealed += 1
    const current = upToDate ? site.keyIds.slice(0, 1) : []
    use.add(record, [...current, ...left.flatMap(({ keyId }) => keyId ?? [])], system.now())
    for (const { error } of left) throw error
  })
  return { ...reading, resealed, use }
}

function report(sealed: Sealed): Outcome {
  const { read, resealed, otherRealms, broken, use } = sealed
  const whole = broken.length === 0
  const sum = `Read ${read} records: sealed ${resealed} anew, ${broken.length} could not be.`
  const text = [...broken, sum, ...passedOver(sealed), ...use.sentences(whole)].join('\n')
  return { ok: whole, text, json: { read, resealed, otherRealms, broken, keys: use.keys() } }
}
