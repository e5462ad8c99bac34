import { channel } from 'node:diagnostics_channel'
import type { Counters, RecordStore } from '../../lib/index.js'
import { memoryCounters } from '../../lib/limits/memory-counters.js'

/** Hears of each call that a test's host makes of its store, as a `StoreCall`. */
const calls = channel('store-calls')

/** What was asked, and what was answered. */
export interface StoreCall {
  /** With every field there is. */
  readonly whole: string
  /** What can matter to the call that comes next. */
  readonly outline: string
}

/**
 * The store as it is, where nobody listens. Else it has counters, as stores that are no memory have:
 * what is counted in them is heard of too.
 */
export function watched(store: RecordStore): RecordStore {
  if (!calls.hasSubscribers) return store
  const { counters = memoryCounters(), audit } = store
  const parts = {
    counters: watchedCounters(counters),
    ...(audit === undefined ? {} : { audit: told('audit ', audit) }),
  }
  return Object.assign(told('', store), parts)
}

function watchedCounters(counters: Counters): Counters {
  return {
    counter: (name, seconds) => told(`${name} ${seconds} `, counters.counter(name, seconds)),
  }
}

/** Tests may replace a call of it, as with any store. */
function told<Part extends object>(prefix: string, part: Part): Part {
  const own: Record<PropertyKey, unknown> = {}
  return new Proxy(part, {
    get(target, name) {
      if (name in own) return own[name]
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      own[name] = async (...given: unknown[]) => {
        const say = (end: (told: Telling) => string) => {
          const as = (told: Telling) => `${prefix}${String(name)} ${given.map(told)} ${end(told)}`
          calls.publish({ whole: as(shapeOf), outline: as(outlineOf) } satisfies StoreCall)
        }
        try {
          const answer: unknown = await value.apply(target, given)
          say((told) => `= ${told(answer)}`)
          return answer
        } catch (error) {
          say(() => 'failed')
          throw error
        }
      }
      return own[name]
    },
    set(_, name, value) {
      own[name] = value
      return true
    },
  })
}

type Telling = (value: unknown) => string

/** What a store can tell values apart by: which fields there are, and of which type. */
function shapeOf(value: unknown): string {
  if (value === null || value === undefined) return '-'
  if (typeof value === 'boolean') return String(value)
  if (typeof value !== 'object') return typeof value
  if (Array.isArray(value)) {
    const several = value.length > 1 ? '*' : ''
    return `[${[...new Set(value.map(shapeOf))].join()}${several}]`
  }
  // One loop, as every call of every test has its whole records looked at.
  let shape = ''
  for (const name of Object.keys(value).sort()) {
    const field: unknown = Reflect.get(value, name)
    if (field !== undefined) shape += `${name}:${shapeOf(field)},`
  }
  return `{${shape}}`
}

/** Whether there is something, whether it is much, and what it says yes or no to. */
function outlineOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return shapeOf(value)
  if (Array.isArray(value)) return `[${Math.min(value.length, 2)}]`
  const flags = Object.entries(value).filter(([, field]) => typeof field === 'boolean')
  return `{${flags.map(([name, flag]) => `${name}:${flag}`).sort()}}`
}
