import type { RedisRepair } from '../stores/redis-repair.js'
import { type Command, type Outcome, said } from './command.js'
import { readConfig } from './config.js'
import { configIn } from './refusals.js'

/** `repair`: lost lists of Redis, from the records. */
export const repair: Command = {
  summary: 'Makes lists of records anew that Redis has lost.',
  usage: '--config FILE',
  help: `--config FILE  the options of createSecondStep, or at least { store }
Restore a backup instead, if you have one: a record that was lost together with its list is not seen here, and
its user has no second step then. Safe while the app runs, and to be run again where it was stopped.`,
  options: ['config'],
  run: async (values) => {
    const { store } = await readConfig(configIn(values))
    if (store.repair === undefined) {
      throw new Error('This store has no lists that can be lost: only redisStore has.')
    }
    return report(await store.repair())
  },
}

function report({ made, records, lost, left }: RedisRepair): Outcome {
  if (made.length + records + left.length === 0) {
    return said('No list is lost; nothing was changed.')
  }
  const text = [
    ...made.map((list) => `Made the list ${list} anew.`),
    ...lost.map((key) => `The record ${key} is lost.`),
    ...left.map(
      (list) => `The list ${list} stays lost: none of its records is left. Restore a backup.`,
    ),
    `Records that a list had lost: ${records}.`,
  ]
  return { ok: left.length === 0, text: text.join('\n'), json: null }
}
