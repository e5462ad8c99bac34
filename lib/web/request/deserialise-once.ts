import { withTimeout } from '../../ports/with-timeout.js'

/** Passport's session strategy, as Passport has prepared it for a request. */
interface SessionStrategy {
  error(error: unknown): void
}

type Done = (error: unknown, user?: unknown) => void
type Deserialise = (this: SessionStrategy, kept: unknown, req: unknown, done: Done) => void

const NAME = '_deserializeUser'

/** Whether it has a deserialiser, as Passport's session strategy. */
export function hasDeserialiser(strategy: object): boolean {
  return typeof Reflect.get(strategy, NAME) === 'function'
}

/**
 * Has the session strategy go by the first answer of the host's deserialiser, and not wait for it for ever. Passport
 * takes every answer: a second one would put a user on a request that was let through without one.
 *
 * @param strategy in which to replace it
 * @param timeout milliseconds, as they are when the deserialiser is called
 */
export function deserialiseOnce(strategy: object, timeout: () => number): void {
  const original: unknown = Reflect.get(strategy, NAME)
  if (typeof original !== 'function') return
  const once: Deserialise = function (kept, req, done) {
    const first: { answer?: Parameters<Done> } = {}
    const answered = new Promise<Parameters<Done>>((resolve) => {
      original.call(this, kept, req, (...answer: Parameters<Done>) => {
        first.answer ??= answer
        resolve(answer)
      })
    })
    // Most answer at once, out of memory: nothing is waited for then.
    if (first.answer !== undefined) return done(...first.answer)
    withTimeout('the user store', () => answered, timeout())
      .then(
        (answer) => done(...answer),
        (error) => done(error),
      )
      // Nobody else would catch what the next middleware throws.
      .catch((error) => this.error(error))
  }
  Reflect.set(strategy, NAME, once)
}
