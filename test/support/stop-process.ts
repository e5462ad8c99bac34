import { readdirSync, readFileSync } from 'node:fs'

/**
 * Stops a process and returns once all its threads stand still: until then a busy one may still
 * answer, and a test that it hangs would fail.
 */
export function stopProcess(pid: number): void {
  process.kill(pid, 'SIGSTOP')
  while (!standsStill(pid)) {
    // A millisecond or so, in which nothing else of the test's may run.
  }
}

/** As Linux tells (proc(5)): `T` for stopped by a signal. */
function standsStill(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).every((thread) => {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')
      return /^[TtZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
    })
  } catch {
    // It has ended, or this is no Linux: then the signal alone must do.
    return true
  }
}
