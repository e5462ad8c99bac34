import { parseRecord } from '../domain/parse-record.js'
import { Reseal } from '../service/reseal.js'
import { withApp } from './app.js'
import type { Command } from './command.js'
import { everyRecord, lostRecord, userIdOf } from './every-record.js'
import { messageOf } from './message.js'
import { progress } from './progress.js'

/** `reseal`: every secret under the first key. */
export const reseal: Command = {
  summary: 'Seals every secret anew under the first key.',
  usage: '--config FILE',
  help: `--config FILE  the options of createSecondStep
--json         prints the result as JSON
Safe while the app runs, and to be run again where it was stopped. Backup codes and one-time codes
cannot be sealed anew: those made under an earlier key end when that key leaves the ring.`,
  options: ['config', 'json'],
  run: (values) =>
    withApp(values, async ({ records, vault, store, occasion }) => {
      const service = new Reseal(records, vault)
      const told = progress('Sealed anew or found in order')
      const broken: string[] = []
      let [read, resealed] = [0, 0]
      for await (const { lost, stored } of everyRecord(store)) {
        told.step()
        if (lost !== undefined) {
          broken.push(lostRecord(lost))
          continue
        }
        read += 1
        const userId = userIdOf(stored)
        try {
          if (await service.record(parseRecord(stored, userId), occasion)) resealed += 1
        } catch (error) {
          broken.push(`The record of ${JSON.stringify(userId)} was not sealed: ${messageOf(error)}`)
        }
      }
      told.end()
      const sum = `Read ${read} records: sealed ${resealed} anew, ${broken.length} could not be.`
      const text = [...broken, sum].join('\n')
      return { ok: broken.length === 0, text, json: { read, resealed, broken } }
    }),
}
