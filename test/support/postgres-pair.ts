import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { DatabaseServer } from './database-process.js'
import { connectTo } from './databases.js'
import { startPrimary, startStandby } from './postgres-server.js'

const STANDBY = 'standby'

/** A primary and its standby. */
export interface PostgresPair {
  readonly primary: DatabaseServer
  readonly standby: DatabaseServer
  /** Makes the standby a primary. */
  promote(): Promise<void>
  stop(): Promise<void>
}

/** @param waits whether the primary answers a commit only when the standby has it */
export async function startPostgresPair({ waits }: { waits: boolean }): Promise<PostgresPair> {
  const primary = await startPrimary(waits ? STANDBY : '')
  const memory = sharedMemoryOf(primary)
  const started = [primary]
  const stop = async () => {
    await Promise.all(started.map((server) => server.stop()))
    release(memory)
  }
  try {
    const standby = await startStandby(primary, STANDBY)
    started.push(standby)
    return { primary, standby, promote: () => promote(standby), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function promote({ url }: DatabaseServer): Promise<void> {
  const db = connectTo(url)
  try {
    await db.raw('select pg_promote()')
  } finally {
    await db.destroy()
  }
}

/** The segment that a killed server leaves behind. */
function sharedMemoryOf({ folder }: DatabaseServer): string {
  const lines = readFileSync(`${folder}/data/postmaster.pid`, 'utf8').split('\n')
  return lines[6]?.trim().split(/\s+/).at(-1) ?? ''
}

function release(memory: string): void {
  try {
    execFileSync('ipcrm', ['--shmem-id', memory], { stdio: 'ignore' })
  } catch {
    // It ended by itself, and has removed it.
  }
}
