import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { newestFolder } from '../test/support/database-process.js'

/** A program that the tests run, and the Debian package that has it. */
interface Tool {
  readonly program: string
  readonly package: string
  /** Where Debian has it when it is not on the PATH: `<aside>/<version>/bin`. */
  readonly aside?: string
}

const TOOLS: readonly Tool[] = [
  { program: 'redis-server', package: 'redis-server' },
  { program: 'oathtool', package: 'oathtool' },
  { program: 'faketime', package: 'faketime' },
  { program: 'postgres', package: 'postgresql', aside: '/usr/lib/postgresql' },
  { program: 'mariadbd', package: 'mariadb-server' },
  { program: 'ps', package: 'procps' },
  { program: 'chromium', package: 'chromium' },
  { program: 'zbarimg', package: 'zbar-tools' },
  { program: 'nginx', package: 'nginx' },
]

/**
 * Sees that the programs which the tests run are there; installs what is missing on a Debian where
 * this may be done.
 *
 * @throws Error with one sentence that says what to do
 */
export function requireTools(): void {
  const missing = TOOLS.filter((tool) => !isThere(tool))
  if (missing.length === 0) return
  if (mayInstall()) install(missing)
  const names = TOOLS.filter((tool) => !isThere(tool)).map(({ program }) => program)
  if (names.length === 0) return
  const packages = TOOLS.map((tool) => tool.package).join(' ')
  throw new Error(
    `The tests need ${names.join(' and ')} on the PATH: ` +
      `install them first, on Debian and Ubuntu with "sudo apt-get install ${packages}".`,
  )
}

function isThere({ program, aside }: Tool): boolean {
  return isOnPath(program) || (aside !== undefined && newestFolder(aside, 'bin') !== '')
}

/** Debian has servers where only root's path leads. */
const OF_SERVERS = '/usr/sbin'

function isOnPath(program: string): boolean {
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const folders = [...path, OF_SERVERS]
  return folders.some((folder) => isProgram(join(folder, program)))
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function mayInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && isOnPath('apt-get')
}

/** The package's own service may start: it has another port than the tests' servers. */
function install(tools: readonly Tool[]): void {
  const packages = tools.map((tool) => tool.package)
  console.log(`Installing ${packages.join(' and ')} for the tests.`)
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...packages]]) {
    spawnSync('apt-get', ['-qq', ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
  }
}
