import type { MakeApp } from './host.js'

/** Every app of the bench by its name, and how its process makes it. */
const APPS = {
  plain: async () => (await import('./plain.js')).makeApp,
  /** The plain app once more: its ratio to itself says how far the machine can be trusted. */
  control: async () => (await import('./plain.js')).makeApp,
  'gate that reads nothing': async () => (await import('./gates.js')).makeBlind,
  'gate that reads one key': async () => (await import('./gates.js')).makeBare,
  'passport-totp': async () => (await import('./passport-totp.js')).makeUnlimited,
  'passport-totp, control': async () => (await import('./passport-totp.js')).makeUnlimited,
  'passport-totp, limited': async () => (await import('./passport-totp.js')).makeLimited,
  'by hand': async () => (await import('./by-hand.js')).makeApp,
  'better-auth': async () => (await import('./better-auth.js')).makeApp,
  ours: async () => (await import('./ours.js')).makeStrict,
  'ours, bounded': async () => (await import('./ours.js')).makeBounded,
  'ours, limitPassword': async () => (await import('./ours.js')).makeLimited,
  'ours, PostgreSQL': async () => (await import('./ours.js')).makeOnPostgresql,
} satisfies Record<string, () => Promise<MakeApp>>

export type AppName = keyof typeof APPS

export function isAppName(name: string): name is AppName {
  return Object.hasOwn(APPS, name)
}

export function loadApp(name: AppName): Promise<MakeApp> {
  return APPS[name]()
}
