import { execFile } from 'node:child_process'
import { moduleFile, NODE_ARGUMENTS } from './modules.js'

/** What a run of the command line tool came to. */
export interface Run {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Counting in a process what this one runs too would double what it takes. */
export const UNCOUNTED: NodeJS.ProcessEnv = { NODE_V8_COVERAGE: undefined }

/** Runs the command line tool as a process of its own. */
export function cli(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Run> {
  const { REDIS_URL: _, ...inherited } = process.env
  const command = [...NODE_ARGUMENTS, moduleFile('lib/cli/main'), ...args]
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      command,
      { env: { ...inherited, ...env } },
      (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    )
  })
}
