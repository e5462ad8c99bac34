import { expect } from 'chai'
import { defaultPolicy, type Policy } from '../../lib/domain/policy.js'
import { changePolicy, type PolicyEdit } from '../../lib/domain/policy-change.js'
import { concernOf } from '../../lib/domain/policy-concern.js'
import { blankRecord, type SecondStepRecord } from '../../lib/domain/record.js'
import { DAY_MS } from '../../lib/domain/units.js'
import { enrolledRecord, NOW } from '../support/records.js'

const blank = blankRecord('u1')
const enrolled = enrolledRecord({ userId: 'u1' })

const required: Policy = {
  ...defaultPolicy,
  mode: 'required',
  requiredSince: { general: NOW - DAY_MS, roles: {} },
}

function concern(
  edit: PolicyEdit,
  record: SecondStepRecord = blank,
  given: { before?: Policy; privileged?: boolean; roles?: readonly string[] } = {},
) {
  const { before = defaultPolicy, privileged = false, roles = [] } = given
  const { policy: after } = changePolicy(before, edit, { kind: 'admin', id: 'a' }, NOW)
  const subject = { roles, createdAt: null, privileged }
  return concernOf({ record, subject }, { before, after }, NOW)
}

describe('whom a change of the policy concerns', () => {
  it('somebody who has none, once it is required: within the days of grace', () => {
    expect(concern({ mode: 'required' })).to.equal('setup-later')
    expect(concern({ mode: 'required', graceDays: 0 })).to.equal('setup-now')
  })

  it('an admin who has none, at once', () => {
    expect(concern({ mode: 'required' }, blank, { privileged: true })).to.equal('setup-now')
  })

  it('nobody who has it, where it is required', () => {
    expect(concern({ mode: 'required' }, enrolled)).to.equal(null)
  })

  it('only users of the role that a rule is for', () => {
    const roles = { user: 'required' } as const
    expect(concern({ roles }, blank, { roles: ['user'] })).to.equal('setup-later')
    expect(concern({ roles }, blank, { roles: ['admin'] })).to.equal(null)
  })

  it('somebody whose day to set up moves', () => {
    expect(concern({ graceDays: 30 }, blank, { before: required })).to.equal('setup-later')
    expect(concern({ graceDays: 1 }, blank, { before: required })).to.equal('setup-now')
    expect(concern({ mode: 'required' }, blank, { before: required })).to.equal(null)
  })

  it('somebody whose device no longer counts', () => {
    const accepts = { user: ['webauthn'] } as const
    expect(concern({ accepts }, enrolled, { roles: ['user'] })).to.equal('setup-now')
    expect(concern({ accepts }, enrolled, { roles: ['admin'] })).to.equal(null)
  })

  it('somebody who is no longer asked, or again', () => {
    const off: Policy = { ...defaultPolicy, mode: 'off' }
    expect(concern({ mode: 'off' }, enrolled)).to.equal('nothing')
    expect(concern({ mode: 'off' }, enrolled, { privileged: true })).to.equal(null)
    expect(concern({ mode: 'optional' }, enrolled, { before: off })).to.equal('code')
    expect(concern({ mode: 'optional' }, blank, { before: required })).to.equal('nothing')
  })

  it('nobody, where other settings change', () => {
    const edit = { codeAttempts: 3, passwordAttempts: 3, backupCodes: false }
    expect(concern(edit)).to.equal(null)
    expect(concern(edit, enrolled)).to.equal(null)
  })
})
