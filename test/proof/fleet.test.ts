// The attack: somebody who has seen a code waits for a machine to die, and gives it to the one that takes over.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { moduleFile, NODE_ARGUMENTS } from '../support/modules.js'

/** A small one: each kind of fault strikes once, while few people sign in. */
const SMALL = ['--logins', '120', '--seed', '7', '--at-once', '6']

describe('A fleet of four processes on a Redis Cluster', function () {
  this.timeout(300_000)

  it('keeps its promises while each kind of fault strikes once, and leaves no process behind', async () => {
    const { code, output, pid } = await runFleet(SMALL)
    expect(code, output).to.equal(0)
    expect(output).to.match(/^holds: one code opens one door$/m)
    expect(output).to.match(/^fault: master killed: 1 times/m)
    expect(output).to.not.contain('BROKEN')
    expect(processesOf(pid)).to.deep.equal([])
  })
})

async function runFleet(args: readonly string[]) {
  const child = spawn(
    process.execPath,
    [...NODE_ARGUMENTS, moduleFile('scripts/fleet/main'), ...args],
    // A process group of its own: what it has started can be told by it.
    { detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const atExit = () => process.kill(-(child.pid ?? 0), 'SIGKILL')
  process.once('exit', atExit)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  const [code] = await once(child, 'close')
  process.off('exit', atExit)
  return { code, output, pid: child.pid ?? 0 }
}

/** Processes of this group, by the third number after the name (proc(5), stat). */
function processesOf(group: number): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        return Number(fields[2]) === group && fields[0] !== 'Z' ? [stat] : []
      } catch {
        return []
      }
    })
}
