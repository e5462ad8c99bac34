import { bytes } from './bytes.js'
import { guardedGet } from './guarded-get.js'
import { loginPending, loginWithout } from './login.js'
import { post } from './post.js'
import type { Scenario } from './scenario.js'
import { trips } from './trips.js'

/** The scenarios by the names that `npm run bench -- NAME…` takes, in the order of the table. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'guarded-get': guardedGet,
  post,
  trips,
  'login-pending': loginPending,
  'login-single': loginWithout,
  bytes,
}
