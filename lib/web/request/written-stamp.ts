import type { Stamp } from '../../domain/stamp.js'

/**
 * A stamp as a session holds it. express-session writes and hashes every key of a session twice a request, so the
 * stamp is one text. Version 0.1.0 wrote the object.
 */
export type WrittenStamp = string | Stamp

/**
 * The parts that have no blanks in them, the trusted browser behind the method, and then how long the
 * site's name is; 0 for none.
 */
const WRITTEN = /^1 ([\w-]+) (\d+) ([a-z-]+)(?::([\w-]+))? (\d+) (\d+) (\d+) (\d+) (.+)$/s

/** @param stamp its times and numbers are whole, and its id and method have no blanks */
export function writeStamp(stamp: Stamp): WrittenStamp {
  const { id, epoch, method, at, version, instance, site = '', userId, trust } = stamp
  const how = trust === undefined ? method : `${method}:${trust}`
  return `1 ${id} ${epoch} ${how} ${at} ${version} ${instance} ${site.length} ${site}${userId}`
}

/** Null for what no version of ours wrote. */
export function readStamp(written: unknown): Stamp | null {
  if (typeof written === 'string') return readText(written)
  const { id, userId, epoch, at, method, version, instance } = Object(
    written ?? {},
  ) as Partial<Stamp>
  const whole =
    typeof id === 'string' &&
    typeof userId === 'string' &&
    typeof epoch === 'number' &&
    typeof at === 'number' &&
    typeof method === 'string'
  if (!whole) return null
  return {
    ...(written as Stamp),
    version: typeof version === 'number' ? version : 0,
    instance: typeof instance === 'number' ? instance : 0,
  }
}

function readText(text: string): Stamp | null {
  const parts = WRITTEN.exec(text)
  if (parts === null) return null
  // By name: a list is taken apart by an iterator, which takes longer than everything else here.
  const {
    1: id = '',
    2: epoch,
    3: method,
    4: trust,
    5: at,
    6: version,
    7: instance,
    8: length,
    9: names = '',
  } = parts
  const end = Number(length)
  const userId = names.slice(end)
  if (userId === '') return null
  const stamp = {
    id,
    userId,
    epoch: Number(epoch),
    method: method as Stamp['method'],
    at: Number(at),
    version: Number(version),
    instance: Number(instance),
    ...(trust === undefined ? {} : { trust }),
  }
  return end === 0 ? stamp : { ...stamp, site: names.slice(0, end) }
}
