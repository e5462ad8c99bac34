import { isRefusal } from './checker/refusals-in-time.js'
import { type Attempt, type Entry, grouped, isSuccess } from './history.js'

/** What happened in a run, in lines for people. */
export function figures(history: readonly Entry[]): readonly string[] {
  const attempts = history.filter((entry): entry is Attempt => entry.kind === 'attempt')
  const successes = attempts.filter(isSuccess)
  const codes = successes.map(({ user, code }) => `${user} ${code}`)
  const given = attempts.filter(({ step, code }) => step === 'code' && code !== null)
  const replays = given.length - new Set(given.map(({ user, code }) => `${user} ${code}`)).size
  const refused = attempts.filter(isRefusal).map(({ called, answered }) => answered - called)
  return [
    `requests: ${attempts.length}, by ${new Set(attempts.map(({ user }) => user)).size} users`,
    `logins: ${successes.length}, with ${new Set(codes).size} different codes; codes given once more: ${replays}`,
    `answers to codes: ${counted(attempts.filter(({ step }) => step === 'code'))}`,
    `answers to passwords: ${counted(attempts.filter(({ step }) => step === 'password'))}`,
    `answers to a protected page: ${counted(attempts.filter(({ step }) => step === 'page'))}`,
    `refusals: ${quantiles(refused)}`,
    ...faultLines(history),
  ]
}

function counted(attempts: readonly Attempt[]): string {
  const groups = [...grouped(attempts, ({ verdict }) => verdict)]
  return groups
    .sort(([, one], [, other]) => other.length - one.length)
    .map(([verdict, { length }]) => `${length} ${verdict}`)
    .join(', ')
}

function quantiles(milliseconds: readonly number[]): string {
  const sorted = milliseconds.toSorted((one, other) => one - other)
  const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0)
  return `${sorted.length}; median ${at(0.5)} ms, 99 % ${at(0.99)} ms, longest ${at(1)} ms`
}

function faultLines(history: readonly Entry[]): readonly string[] {
  const faults = history.flatMap((entry) => (entry.kind === 'fault' ? [entry] : []))
  return [...grouped(faults, ({ fault }) => fault)].map(([name, all]) => {
    const back = all.flatMap(({ healed, recovered }) =>
      recovered === null ? [] : [recovered - healed],
    )
    const longest = Math.max(0, ...back) / 1000
    return `fault: ${name}: ${all.length} times, recovery at most ${longest.toFixed(1)} s`
  })
}
