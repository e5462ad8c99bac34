import { checkNames } from '../errors/check-names.js'
import { liesUnder } from '../web/request/destination.js'
import type { Paths } from '../web/request/site.js'
import { check, isText } from './check.js'

const DEFAULT_PATHS: Paths = {
  secondStep: '/second-step',
  admin: '/admin/second-step',
  signIn: '/login',
  signedIn: '/',
}

/** A path without empty segments, and without a slash at the end. */
const FOLDER = /^(\/[^/\\?#\s]+)+$/

/** Whether a path has no `..`, and no characters that browsers escape. */
function asBrowsersWrite(path: string): boolean {
  return writtenByBrowsers(path) === path
}

function writtenByBrowsers(path: string): string {
  return new URL(path, 'http://localhost').pathname
}

/** @returns what a proxy takes off every path; empty for nothing */
export function checkBase(base: unknown = ''): string {
  const right =
    base === '' || (typeof base === 'string' && FOLDER.test(base) && asBrowsersWrite(base))
  check(
    right,
    '`base` must be a path such as /app: what a proxy takes off before the app sees a path, as browsers ' +
      `write it, without a slash at the end and without dots. It is ${JSON.stringify(base)}`,
  )
  return base as string
}

/** @returns the paths as browsers see them, with `base` */
export function checkPaths(given: Partial<Paths> = {}, base: string): Paths {
  check(typeof given === 'object' && given !== null, '`paths` must be an object')
  checkNames(given, Object.keys(DEFAULT_PATHS), 'paths.')
  const paths = { ...DEFAULT_PATHS, ...given }
  for (const [name, path] of Object.entries(paths)) {
    const right = name.startsWith('sign') ? /^\/(?![/\\])/ : FOLDER
    check(
      isText(path) && right.test(path),
      `\`paths.${name}\` must be a path such as ${DEFAULT_PATHS[name as keyof Paths]}, without a slash at the end`,
    )
    check(
      right !== FOLDER || asBrowsersWrite(path),
      `\`paths.${name}\` must be written as browsers request it, such as ${writtenByBrowsers(path)}`,
    )
    checkIsWithoutBase(`paths.${name}`, path, base)
  }
  const { secondStep, admin, signIn, signedIn } = paths
  check(
    !liesUnder(signIn.split(/[?#]/, 1)[0] ?? '', secondStep),
    `\`paths.signIn\` (${signIn}) lies in \`paths.secondStep\` (${secondStep}), whose pages are ours: give it a path elsewhere`,
  )
  return {
    secondStep: base + secondStep,
    admin: base + admin,
    signIn: base + signIn,
    signedIn: base + signedIn,
  }
}

/** `base` twice leads nowhere, and `open` would open nothing. */
function checkIsWithoutBase(option: string, path: string, base: string): void {
  check(
    base === '' || !liesUnder(path, base),
    `\`${option}\` has ${path}, which begins with \`base\` (${base}): write it as the app sees it, ` +
      `${path.slice(base.length) || '/'}`,
  )
}
