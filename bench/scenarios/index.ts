import { adminPage } from './admin-page.js'
import { anonymous } from './anonymous.js'
import { burst } from './burst.js'
import { bytes } from './bytes.js'
import { codes } from './codes.js'
import { guardedGet } from './guarded-get.js'
import { heap } from './heap.js'
import { mariadbLists, postgresqlLists, redisLists } from './lists.js'
import { loginPending, loginWithout } from './login.js'
import { backupCode, post } from './post.js'
import { postgresql } from './postgresql.js'
import type { Scenario } from './scenario.js'
import { setupPage } from './setup-page.js'
import { startUp } from './start-up.js'
import { trips } from './trips.js'

/** Scenarios that run only when they are named: they take many minutes. */
export const LONG_SCENARIOS: Readonly<Record<string, Scenario>> = {
  heap,
  'lists-redis': redisLists,
  'lists-postgresql': postgresqlLists,
  'lists-mariadb': mariadbLists,
}

/** The scenarios by the names that `npm run bench -- NAME…` takes, in the order of the table. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'guarded-get': guardedGet,
  anonymous,
  post,
  'backup-code': backupCode,
  trips,
  'login-pending': loginPending,
  'login-single': loginWithout,
  bytes,
  burst,
  'admin-page': adminPage,
  'setup-page': setupPage,
  postgresql,
  'start-up': startUp,
  codes,
}
