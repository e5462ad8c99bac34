import { expect } from 'chai'
import { mailAllowance } from '../../lib/domain/mail-allowance.js'
import { HOUR, MINUTE, SECOND } from '../support/clock.js'

describe('when the next reset mail can go', () => {
  const NOON = Date.UTC(2026, 0, 5, 12)
  const upon = (...asked: number[]) => {
    const { heldBack, nextAt } = mailAllowance(asked.map((at) => NOON + at))
    return { heldBack, in: nextAt - NOON }
  }

  it('is two minutes after a mail, and asking in between changes nothing', () => {
    expect(upon(0)).to.deep.equal({ heldBack: false, in: 2 * MINUTE })
    expect(upon(0, 90 * SECOND)).to.deep.equal({ heldBack: true, in: 2 * MINUTE })
    expect(upon(0, 2 * MINUTE)).to.deep.equal({ heldBack: false, in: 4 * MINUTE })
  })

  it('is an hour after the first of three', () => {
    const three = [0, 2 * MINUTE, 4 * MINUTE]
    expect(upon(...three)).to.deep.equal({ heldBack: false, in: HOUR })
    expect(upon(...three, 6 * MINUTE)).to.deep.equal({ heldBack: true, in: HOUR })
    expect(upon(...three, HOUR)).to.deep.equal({ heldBack: false, in: HOUR + 2 * MINUTE })
  })

  it('is a day after the first of five', () => {
    const five = [0, 2 * MINUTE, 4 * MINUTE, HOUR, HOUR + 2 * MINUTE]
    expect(upon(...five)).to.deep.equal({ heldBack: false, in: 24 * HOUR })
  })

  it('is at once where none was asked for', () => {
    expect(mailAllowance([])).to.deep.equal({ heldBack: false, nextAt: 0 })
  })
})
