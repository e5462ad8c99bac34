import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const STEP = 30_000

/** An authenticator that is none of ours: OATH Toolkit's, at a time as far from now as is said. */
export async function oathtoolCode(secret: string, steps = 0): Promise<string> {
  return oathtoolCodeAt(secret, Date.now() + steps * STEP)
}

/** The code that it shows at a time, in milliseconds. */
export async function oathtoolCodeAt(secret: string, at: number): Promise<string> {
  const now = new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z/, ' UTC')
  const { stdout } = await promisify(execFile)('oathtool', [
    '--totp',
    '--base32',
    `--now=${now}`,
    secret,
  ])
  return stdout.trim()
}

/** What it prints for these arguments; a secret in hex, or in base32 with `--base32`. */
export async function oathtool(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('oathtool', args)
  return stdout.trim()
}

/** A key fob with a button: the code of a counter. */
export async function oathtoolPress(secret: string, counter: number): Promise<string> {
  const press = ['--hotp', '--base32', `--counter=${counter}`, secret]
  const { stdout } = await promisify(execFile)('oathtool', press)
  return stdout.trim()
}

/** A code that is none of those near this moment. */
export async function wrongOathtoolCode(secret: string): Promise<string> {
  const near = await Promise.all([-2, -1, 0, 1, 2].map((steps) => oathtoolCode(secret, steps)))
  const candidates = Array.from({ length: near.length + 1 }, (_, index) => `00000${index}`)
  const wrong = candidates.find((code) => !near.includes(code))
  if (wrong === undefined) throw new Error('more right codes than there are steps')
  return wrong
}
