import type { Environment } from './example-app.js'

/** The clients that an app takes when it is told to import another version than its own. */
const OTHER_VERSIONS: Readonly<Record<string, Replaced>> = {
  'ioredis-6': { name: 'ioredis', imported: 'ioredis', instead: 'ioredis-6' },
  'node-redis-5': { name: 'node-redis', imported: 'redis', instead: 'redis-5' },
}

interface Replaced {
  readonly name: string
  readonly imported: string
  readonly instead: string
}

/** The environment of an example app with one of the clients that `REDIS_CLIENT` names to the tests. */
export function clientOfApp(given = process.env.REDIS_CLIENT): Environment {
  if (given === undefined) return {}
  const other = OTHER_VERSIONS[given]
  if (other === undefined) return { REDIS_CLIENT: given }
  return { REDIS_CLIENT: other.name, NODE_OPTIONS: `--import ${replacing(other)}` }
}

/** A module that has all others import a package under another name. */
function replacing({ imported, instead }: Replaced): string {
  const hooks = `export const resolve = (name, context, next) =>
    next(name === '${imported}' ? '${instead}' : name, context)`
  return asUrl(`import { register } from 'node:module'; register('${asUrl(hooks)}')`)
}

function asUrl(code: string): string {
  return `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`
}
