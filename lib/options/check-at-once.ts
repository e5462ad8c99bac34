import { check } from './check.js'

/** Functions that must be synchronous: a promise would silently be ignored. */
const AT_ONCE = ['describe', 'isAdmin', 'formFields', 'language'] as const

type AtOnce = (typeof AT_ONCE)[number]

/** Refuses `async` functions where nobody waits for a promise, as far as they are recognisable. */
export function checkAnswerAtOnce(options: Partial<Readonly<Record<AtOnce, unknown>>>): void {
  for (const name of AT_ONCE) {
    const kind = Object.prototype.toString.call(options[name])
    check(kind !== '[object AsyncFunction]', messageOf(name))
  }
}

/**
 * What such a function has answered.
 *
 * @throws ConfigurationError for a promise
 */
export function answeredAtOnce<T>(name: AtOnce, answer: T): T {
  const waits = typeof Reflect.get(Object(answer), 'then') === 'function'
  // Refused either way. A rejection of the promise must not end the process.
  if (waits) Promise.resolve(answer).catch(() => undefined)
  check(!waits, messageOf(name))
  return answer
}

function messageOf(name: AtOnce): string {
  return (
    `\`${name}\` must answer at once, and not with a promise: leave out \`async\`, and load what it ` +
    'needs before, with the user or in a middleware'
  )
}
