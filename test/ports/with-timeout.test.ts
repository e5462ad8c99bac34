import { expect } from 'chai'
import { UnavailableError } from '../../lib/errors/unavailable-error.js'
import { withTimeout } from '../../lib/ports/with-timeout.js'

const silent = () => new Promise<never>(() => undefined)
/** Those that keep the process alive. One that fires counts until the next turn of the event loop. */
async function timers(): Promise<number> {
  await new Promise(setImmediate)
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
}

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => null,
    (error: unknown) => error,
  )
}

/** From before the call begins: a busy machine may take its time between the two. */
async function timed(begin: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await failureOf(begin())
  return performance.now() - began
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

describe('the time limit of a call', () => {
  it('makes every failure an UnavailableError that names the part', async () => {
    const thrown = () => {
      throw new Error('thrown')
    }
    for (const call of [silent, thrown, () => Promise.reject(new Error('rejected'))]) {
      const failure = await failureOf(withTimeout('the part', call, 60))
      expect(failure).to.be.instanceOf(UnavailableError)
      expect(String(failure)).to.contain('the part is not available')
    }
  })

  it('takes an answer that is no promise', async () => {
    expect(await withTimeout('the part', () => 7 as unknown as Promise<number>, 60)).to.equal(7)
  })

  it("is each call's own, however many wait", async () => {
    const ended: string[] = []
    const earlier = timed(() => withTimeout('the part', silent, 90)).finally(() =>
      ended.push('earlier'),
    )
    await pause(50)
    const later = timed(() => withTimeout('the part', silent, 90)).finally(() =>
      ended.push('later'),
    )
    const short = timed(() => withTimeout('the part', silent, 10)).finally(() =>
      ended.push('short'),
    )
    expect(await earlier).to.be.at.least(89)
    expect(await later).to.be.at.least(89)
    expect(await short).to.be.at.least(9)
    expect(ended).to.deep.equal(['short', 'earlier', 'later'])
  })

  it('does not end a call that answers, while another one is silent', async () => {
    const silence = failureOf(withTimeout('the silent part', silent, 80))
    await pause(40)
    const answers = () => pause(60).then(() => 'answered')
    expect(await withTimeout('the part', answers, 80)).to.equal('answered')
    expect(await silence).to.be.instanceOf(UnavailableError)
  })

  // The machine paused for longer than the limit: every login that was under way was refused.
  it('takes answers that came while the process stood still, and still ends silence', async () => {
    const stepByStep = async () => {
      for (let step = 0; step < 5; step += 1) await new Promise(setImmediate)
      return 'answered'
    }
    const answered = withTimeout('the part', stepByStep, 20)
    const silence = failureOf(withTimeout('the silent part', silent, 20))
    const until = performance.now() + 120
    while (performance.now() < until);
    expect(await answered).to.equal('answered')
    expect(await silence).to.be.instanceOf(UnavailableError)
  })

  it('ignores an answer and a failure that come too late', async () => {
    let answer = (_: string) => {}
    let fail = (_: Error) => {}
    const late = () => new Promise<string>((resolve) => (answer = resolve))
    const lateFailure = () => new Promise<string>((_, reject) => (fail = reject))
    const calls = [withTimeout('the part', late, 60), withTimeout('the part', lateFailure, 60)]
    const failures = await Promise.all(calls.map(failureOf))
    answer('late')
    fail(new Error('late'))
    await new Promise(setImmediate)
    expect(await Promise.all(calls.map(failureOf))).to.deep.equal(failures)
  })

  it('costs one timer, however many calls wait', async () => {
    const before = await timers()
    const calls = Array.from({ length: 100 }, () => failureOf(withTimeout('the part', silent, 70)))
    expect((await timers()) - before).to.equal(1)
    await Promise.all(calls)
    expect(await timers()).to.equal(before)
  })

  it('keeps no process alive after the answers', async () => {
    const before = await timers()
    await Promise.all([1, 2].map((value) => withTimeout('the part', async () => value, 5000)))
    expect(await timers()).to.equal(before)
    const waits = failureOf(withTimeout('the part', silent, 70))
    expect(await timers()).to.equal(before + 1)
    await waits
  })
})
