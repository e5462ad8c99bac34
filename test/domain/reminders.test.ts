import { expect } from 'chai'
import { defaultPolicy, type Policy } from '../../lib/domain/policy.js'
import { blankRecord, type SecondStepRecord } from '../../lib/domain/record.js'
import { dueReminder } from '../../lib/domain/reminders.js'
import { DAY, enrolledRecord, HOUR, NOBODY_SPECIAL, NOW } from '../support/records.js'

const DAYS = [7, 3, 1]
const DEADLINE = NOW + 14 * DAY

/** Required from now on, with 14 days of grace. */
const policy: Policy = {
  ...defaultPolicy,
  mode: 'required',
  graceDays: 14,
  requiredSince: { general: NOW, roles: {} },
}

function dueIn(
  daysLeft: number,
  given: { record?: SecondStepRecord; policy?: Policy; privileged?: boolean } = {},
) {
  const { record = blankRecord('u'), privileged = false } = given
  const subject = { ...NOBODY_SPECIAL, privileged }
  const context = { record, policy: given.policy ?? policy, subject }
  return dueReminder(context, DAYS, DEADLINE - daysLeft * DAY)
}

describe('the reminder before the days of grace end', () => {
  it('is due seven, three and one days before', () => {
    expect(dueIn(7.1)).to.equal(null)
    for (const [left, day] of [
      [7, 7],
      [3.1, 7],
      [3, 3],
      [1.5, 3],
      [1, 1],
      [0.01, 1],
    ] as const) {
      expect(dueIn(left), `${left} days`).to.deep.equal({ deadline: DEADLINE, day })
    }
  })

  it('is not due after the end', () => {
    expect(dueIn(0)).to.equal(null)
    expect(dueIn(-1)).to.equal(null)
  })

  it('is none of who has set up, of an admin, or after a reset', () => {
    expect(dueIn(3, { record: enrolledRecord() })).to.equal(null)
    expect(dueIn(3, { privileged: true })).to.equal(null)
    const mustSetUp = { until: DEADLINE }
    expect(dueIn(3, { record: { ...blankRecord('u'), mustSetUp } })).to.equal(null)
  })

  // The mistake: a rule by a clock that is ahead ends later at each look, and each end has a mail of its own.
  it('waits for a rule that begins by a clock that is ahead', () => {
    const general = NOW + HOUR
    const ahead: Policy = { ...policy, graceDays: 7, requiredSince: { general, roles: {} } }
    const context = { record: blankRecord('u'), policy: ahead, subject: NOBODY_SPECIAL }
    for (const now of [NOW, NOW + HOUR / 2]) expect(dueReminder(context, DAYS, now)).to.equal(null)
    const due = { deadline: general + 7 * DAY, day: 7 }
    expect(dueReminder(context, DAYS, general + 1)).to.deep.equal(due)
  })

  it('is none while the policy does not require it', () => {
    expect(dueIn(3, { policy: { ...policy, mode: 'optional' } })).to.equal(null)
    expect(dueIn(3, { policy: { ...policy, mode: 'off' } })).to.equal(null)
  })
})
