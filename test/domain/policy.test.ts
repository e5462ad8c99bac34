import { expect } from 'chai'
import { FOREVER, pauseOf } from '../../lib/domain/pause.js'
import {
  defaultPolicy,
  type Policy,
  type PolicyMode,
  ruleFor,
  underStrictestRule,
} from '../../lib/domain/policy.js'
import { demandOf, graceDeadlineOf, noteRule, setupDeadlineOf } from '../../lib/domain/standing.js'
import {
  DAY,
  enrolledRecord,
  MINUTE,
  NOBODY_SPECIAL,
  NOW,
  recordWith,
  userContextWith,
} from '../support/records.js'

const START = NOW - 3 * DAY

/** Required of everybody since `START`, with seven days of grace. */
const required: Policy = {
  ...defaultPolicy,
  mode: 'required',
  requiredSince: { general: START, roles: {} },
}

function withRoles(mode: PolicyMode, roles: Readonly<Record<string, PolicyMode>>): Policy {
  const since = Object.entries(roles).flatMap(([role, of], index) =>
    of === 'required' ? [[role, START + index * DAY] as const] : [],
  )
  const general = mode === 'required' ? START : null
  return {
    ...defaultPolicy,
    mode,
    roles,
    requiredSince: { general, roles: Object.fromEntries(since) },
  }
}

const modeFor = (policy: Policy, ...roles: readonly string[]) =>
  ruleFor(policy, { ...NOBODY_SPECIAL, roles }).mode

describe('the rule for a user', () => {
  it('is the general one if the user has no roles, or none with a rule of its own', () => {
    for (const mode of ['off', 'optional', 'required'] as const) {
      expect(modeFor(withRoles(mode, { admin: 'required' }))).to.equal(mode)
      expect(modeFor(withRoles(mode, { admin: 'required' }), 'user')).to.equal(mode)
    }
  })

  it('is the strictest of the user’s roles, in any order', () => {
    const policy = withRoles('optional', { admin: 'required', robot: 'off' })
    expect(modeFor(policy, 'admin')).to.equal('required')
    expect(modeFor(policy, 'robot')).to.equal('off')
    expect(modeFor(policy, 'robot', 'admin')).to.equal('required')
    expect(modeFor(policy, 'admin', 'robot')).to.equal('required')
    expect(modeFor(policy, 'robot', 'user')).to.equal('optional')
    expect(modeFor(policy, 'user', 'robot')).to.equal('optional')
  })

  it('lets the rule of the user’s only role ease the general one', () => {
    expect(modeFor(withRoles('required', { robot: 'off' }), 'robot')).to.equal('off')
    expect(modeFor(withRoles('required', { guest: 'optional' }), 'guest')).to.equal('optional')
    expect(modeFor(withRoles('required', { robot: 'off' }), 'robot', 'user')).to.equal('required')
  })

  it('knows roles by their own names, not by what every object has', () => {
    const policy = withRoles('optional', {})
    for (const role of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      expect(modeFor(policy, role), role).to.equal('optional')
    }
    const named: unknown = JSON.parse('{"__proto__":"required"}')
    const odd = { ...policy, roles: named } as Policy
    expect(modeFor(odd, '__proto__')).to.equal('required')
    expect(modeFor(odd, 'user')).to.equal('optional')
  })

  it('began with the first of the rules that require it of the user', () => {
    const policy = withRoles('optional', { first: 'required', second: 'required', robot: 'off' })
    const since = (...roles: string[]) => ruleFor(policy, { ...NOBODY_SPECIAL, roles }).since
    expect(since('second')).to.equal(START + DAY)
    expect(since('second', 'first')).to.equal(START)
    expect(since('robot')).to.equal(null)
    expect(since('user')).to.equal(null)
  })

  it('never switches the second step off for admins: off is optional for them', () => {
    // Whoever learns an admin's password would be everybody's admin.
    const admin = { ...NOBODY_SPECIAL, roles: ['admin'], privileged: true }
    const off = withRoles('off', {})
    for (const policy of [off, withRoles('optional', { admin: 'off' })]) {
      expect(ruleFor(policy, admin).mode).to.equal('optional')
      const demand = demandOf(userContextWith(enrolledRecord(), policy, admin), NOW)
      expect(demand).to.equal('code')
      expect(demandOf(userContextWith(recordWith(), policy, admin), NOW)).to.equal('nothing')
    }
    expect(ruleFor(off, NOBODY_SPECIAL).mode).to.equal('off')
    expect(ruleFor(withRoles('required', {}), admin).mode).to.equal('required')
  })

  it('gives admins no days of grace', () => {
    expect(ruleFor(required, NOBODY_SPECIAL).graceDays).to.equal(7)
    expect(ruleFor(required, { ...NOBODY_SPECIAL, privileged: true }).graceDays).to.equal(0)
  })
})

/** After every start and account of these tests. */
const LATER = START + 1000 * DAY

describe('the days of grace', () => {
  const user = recordWith()

  it('end to the millisecond: before, nothing is required, and then the set-up is', () => {
    const userContext = userContextWith(user, required)
    const end = START + 7 * DAY
    expect(graceDeadlineOf(userContext, LATER)).to.equal(end)
    expect(demandOf(userContext, end - 1)).to.equal('nothing')
    expect(demandOf(userContext, end)).to.equal('setup')
    expect(demandOf(userContext, end + 1000 * DAY)).to.equal('setup')
  })

  it('are as many as the policy says, none too', () => {
    for (const graceDays of [0, 1, 365]) {
      const userContext = userContextWith(user, { ...required, graceDays })
      expect(graceDeadlineOf(userContext, LATER), `${graceDays}`).to.equal(START + graceDays * DAY)
    }
  })

  it('begin with the account where it is younger than the rule, never before the rule', () => {
    const deadline = (createdAt: number | null) =>
      graceDeadlineOf(userContextWith(user, required, { createdAt }), LATER)
    expect(deadline(START + DAY)).to.equal(START + 8 * DAY)
    expect(deadline(START - DAY)).to.equal(START + 7 * DAY)
    expect(deadline(null)).to.equal(START + 7 * DAY)
  })

  it('are none for an admin', () => {
    const userContext = userContextWith(user, required, { privileged: true })
    expect(demandOf(userContext, START)).to.equal('setup')
  })

  it('are over where nobody knows when the rule began', () => {
    const unknown = { ...required, requiredSince: { general: null, roles: {} } }
    expect(demandOf(userContextWith(user, unknown), NOW)).to.equal('setup')
  })

  it('do not exist for users who have an authenticator or need none', () => {
    expect(graceDeadlineOf(userContextWith(enrolledRecord(), required), LATER)).to.equal(null)
    for (const mode of ['off', 'optional'] as const) {
      expect(graceDeadlineOf(userContextWith(user, { ...required, mode }), LATER)).to.equal(null)
    }
  })

  it('are counted from the first rule that the record knows of', () => {
    // A grace period that renews itself when the rule is switched off and on (breeze #5686).
    const noted = noteRule(userContextWith(user, required), LATER)
    expect(noted.ruleStart).to.equal(START)
    const again = { ...required, requiredSince: { general: START + 100 * DAY, roles: {} } }
    expect(graceDeadlineOf(userContextWith(noted, again), LATER)).to.equal(START + 7 * DAY)
    expect(noteRule(userContextWith(noted, again), LATER)).to.equal(noted)
    expect(graceDeadlineOf(userContextWith(user, again), LATER)).to.equal(START + 107 * DAY)
  })

  it('are noted only while a rule requires, and where its start is known', () => {
    for (const mode of ['off', 'optional'] as const) {
      expect(noteRule(userContextWith(user, { ...required, mode }), LATER)).to.equal(user)
    }
    const unknown = { ...required, requiredSince: { general: null, roles: {} } }
    expect(noteRule(userContextWith(user, unknown), LATER)).to.equal(user)
    expect(noteRule(userContextWith(enrolledRecord(), required), LATER).ruleStart).to.equal(START)
    // A start that an eased rule has left behind is none.
    for (const mode of ['off', 'optional'] as const) {
      const eased = { ...required, mode, roles: { clerk: mode } }
      const starts = { ...eased, requiredSince: { general: START, roles: { clerk: START } } }
      expect(noteRule(userContextWith(user, starts), LATER)).to.equal(user)
      expect(noteRule(userContextWith(user, starts, { roles: ['clerk'] }), LATER)).to.equal(user)
      expect(ruleFor(starts, NOBODY_SPECIAL).since).to.equal(null)
      expect(ruleFor(starts, { ...NOBODY_SPECIAL, roles: ['clerk'] }).since).to.equal(null)
    }
  })

  it('begin now at the latest, whatever dates rule, record and account have', () => {
    const now = START - 10 * DAY
    const [justThen, never] = [recordWith({ ruleStart: START }), recordWith()]
    for (const record of [justThen, never]) {
      const deadline = (createdAt: number | null) =>
        graceDeadlineOf(userContextWith(record, required, { createdAt }), now)
      expect([deadline(null), deadline(START)]).to.deep.equal([now + 7 * DAY, now + 7 * DAY])
      expect(noteRule(userContextWith(record, required), now).ruleStart).to.equal(now)
    }
    const early = recordWith({ ruleStart: now + MINUTE })
    expect(noteRule(userContextWith(early, required), now)).to.equal(early)
    expect(noteRule(userContextWith(early, required), now - 1).ruleStart).to.equal(now - 1)
  })

  // The mistake: day and month the other way round, and the days of grace begin anew with each request.
  it('do not begin with an account that is made in the future, but for a clock that is ahead a little', () => {
    const deadline = (createdAt: number) =>
      graceDeadlineOf(userContextWith(user, required, { createdAt }), LATER)
    expect(deadline(LATER + 2 * MINUTE)).to.equal(START + 7 * DAY)
    expect(deadline(LATER + MINUTE)).to.equal(LATER + 7 * DAY)
  })

  it('are not given again by a reset: the set-up follows at once', () => {
    const reset = recordWith({ mustSetUp: { until: NOW + 7 * DAY } })
    expect(demandOf(userContextWith(reset, required), NOW)).to.equal('setup')
    expect(setupDeadlineOf(userContextWith(reset, required), LATER)).to.equal(NOW + 7 * DAY)
  })

  it('are shown as the deadline, but only if a second step is required', () => {
    expect(setupDeadlineOf(userContextWith(user, required), LATER)).to.equal(START + 7 * DAY)
    expect(
      setupDeadlineOf(userContextWith(user, { ...required, mode: 'optional' }), LATER),
    ).to.equal(null)
    expect(setupDeadlineOf(userContextWith(enrolledRecord(), required), LATER)).to.equal(null)
    const reset = recordWith({ mustSetUp: { until: NOW } })
    expect(setupDeadlineOf(userContextWith(reset, { ...required, mode: 'off' }), LATER)).to.equal(
      null,
    )
    const enrolled = enrolledRecord({ mustSetUp: { until: NOW } })
    expect(setupDeadlineOf(userContextWith(enrolled, required), LATER)).to.equal(null)
  })
})

describe('a pause', () => {
  const until = NOW + DAY
  const paused = enrolledRecord({ pausedUntil: until })
  const optional: Policy = { ...required, mode: 'optional' }

  it('ends by itself, to the millisecond', () => {
    for (const policy of [optional, required]) {
      const userContext = userContextWith(paused, policy)
      expect(demandOf(userContext, until - 1)).to.equal('nothing')
      expect(pauseOf(userContext, until - 1)).to.equal(until)
      expect(demandOf(userContext, until)).to.equal('code')
      expect(pauseOf(userContext, until)).to.equal(null)
    }
  })

  it('without an end lasts while the second step is not required', () => {
    const endless = enrolledRecord({ pausedUntil: FOREVER })
    expect(demandOf(userContextWith(endless, optional), NOW + 10_000 * DAY)).to.equal('nothing')
    expect(pauseOf(userContextWith(endless, optional), NOW)).to.equal(FOREVER)
    expect(demandOf(userContextWith(endless, required), NOW)).to.equal('code')
    expect(pauseOf(userContextWith(endless, required), NOW)).to.equal(null)
  })

  it('is none where there is none, however little the time', () => {
    expect(pauseOf(userContextWith(enrolledRecord(), optional), -1)).to.equal(null)
  })

  it('is nothing without an authenticator', () => {
    const none = recordWith({ pausedUntil: until })
    expect(pauseOf(userContextWith(none, optional), NOW)).to.equal(null)
    expect(demandOf(userContextWith(none, required, { privileged: true }), NOW)).to.equal('setup')
  })
})

describe('the rule of somebody whom the host does not find', () => {
  const cases: readonly [PolicyMode, Readonly<Record<string, PolicyMode>>, PolicyMode][] = [
    ['optional', { clerk: 'required', robot: 'off' }, 'required'],
    ['required', { robot: 'off' }, 'required'],
    ['off', { clerk: 'optional' }, 'optional'],
    ['optional', { robot: 'off' }, 'optional'],
  ]
  for (const [mode, roles, expected] of cases) {
    it(`is ${expected}, without days of grace, for ${mode} and ${JSON.stringify(roles)}`, () => {
      const policy = withRoles(mode, roles)
      expect(ruleFor(policy, underStrictestRule(policy))).to.include({
        mode: expected,
        graceDays: 0,
      })
    })
  }
})
