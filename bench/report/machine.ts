import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, loadavg, totalmem } from 'node:os'

const require = createRequire(import.meta.url)
const PACKAGES = [
  'express',
  'express-session',
  'passport',
  'connect-redis',
  'ioredis',
  'rate-limiter-flexible',
  'passport-totp',
  'better-auth',
]

/** The machine and the versions of a run, as lines of a list. */
export function machine(redisVersion: string): readonly string[] {
  const [first] = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return [
    `${cpus().length} cores (${first?.model.trim() || process.arch}), ${memory} GiB, ${process.platform}`,
    `Node.js ${process.version}, Redis ${redisVersion} on the same machine`,
    `load of the last 15 minutes: ${(loadavg()[2] ?? 0).toFixed(1)} (the bench alone makes about 2; with more, read the ratios with care)`,
    PACKAGES.map((name) => `${name} ${versionOf(name)}`).join(', '),
  ]
}

/** Found beside the package's entry, since many don't export their package.json. */
function versionOf(name: string): string {
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return JSON.parse(readFileSync(`${folder}/${name}/package.json`, 'utf8')).version
    } catch {
      // In a folder further up.
    }
  }
  return '?'
}
