import { expect } from 'chai'
import { judge } from '../../scripts/fleet/checker/judge.js'
import type { Attempt, Entry, Pause } from '../../scripts/fleet/history.js'

const TERMS = { apps: ['app 1', 'app 2'], skew: 20_000 }

const attempt = (parts: Partial<Attempt>): Attempt => ({
  ...{ kind: 'attempt', browser: 1, user: 'ada', step: 'code', code: 'totp:7', app: 'app 1' },
  ...{ elsewhere: 0, called: 1000, answered: 1010, status: 200, verdict: 'signed-in' },
  ...parts,
})
const password = (parts: Partial<Attempt> = {}) =>
  attempt({
    step: 'password',
    code: null,
    called: 900,
    answered: 910,
    verdict: 'code-required',
    ...parts,
  })
const page = (parts: Partial<Attempt> = {}) =>
  attempt({ step: 'page', code: null, called: 1100, answered: 1110, verdict: 'in', ...parts })
const refused = (parts: Partial<Attempt> = {}) =>
  attempt({ status: 503, verdict: 'unavailable', ...parts })
const guess = (nth: number, parts: Partial<Attempt> = {}) =>
  attempt({
    ...{ user: 'guessed', browser: 100 + nth, code: `wrong:${nth}`, called: nth * 10 },
    ...{ answered: nth * 10 + 5, status: 401, verdict: 'wrong-code' },
    ...parts,
  })
const audited = (user: string, parts: object = {}): Entry => ({
  ...{ kind: 'audited', user, codes: 0, backupCodes: 0, wrong: 0 },
  ...parts,
})
const pause = (parts: Partial<Pause>): Pause => ({
  ...{ kind: 'pause', app: 'app 1', from: 1000, to: 4000, stood: 3000 },
  ...parts,
})
const lastLogins = TERMS.apps.map(
  (app): Entry => ({ kind: 'last-login', app, verdict: 'signed-in' }),
)
const guesses = (count: number) => Array.from({ length: count }, (_, nth) => guess(nth))

/** A run in which all went well. */
const GOOD: readonly Entry[] = [
  password(),
  attempt({}),
  page(),
  // A second browser with the same code, at once, and later a third one.
  attempt({ browser: 2, status: 401, verdict: 'wrong-code' }),
  attempt({ browser: 3, called: 9000, answered: 9010, status: 401, verdict: 'wrong-code' }),
  attempt({ browser: 4, user: 'ben' }),
  attempt({ browser: 5, code: 'backup:0' }),
  password({ browser: 6 }),
  page({ browser: 6, status: 401, verdict: 'not-signed-in' }),
  refused({ browser: 7, code: 'totp:8', answered: 2990 }),
  attempt({ browser: 8, code: 'totp:9', status: null, app: null, verdict: 'none', answered: 9000 }),
  ...guesses(5),
  guess(6, { status: 429, verdict: 'too-many-attempts' }),
  { kind: 'fault', fault: 'app killed', target: 'app 2', from: 1, healed: 2, recovered: 3 },
  audited('ada', { codes: 2, backupCodes: 1 }),
  audited('ben', { codes: 1 }),
  audited('guessed', { wrong: 5 }),
  ...lastLogins,
]

/** The rules that are broken once this is in the history too. */
function broken(...more: readonly Entry[]): readonly string[] {
  return violationsOf([...GOOD, ...more]).map(({ rule }) => rule)
}

function violationsOf(history: readonly Entry[]) {
  return judge(history, TERMS).filter(({ violations }) => violations.length > 0)
}

const ONE_DOOR = 'one code opens one door'
const LIMIT = 'no account has more verdicts than its limit'
const FACTOR = 'nobody is in without a factor'
const AUDIT = 'every answered attempt is in the audit log'
const IN_TIME = 'every refusal comes within two seconds'
const RECOVERY = 'all recovers by itself'

describe('the judge of a run', () => {
  it('finds nothing in a good history', () => {
    expect(violationsOf(GOOD)).to.deep.equal([])
  })

  describe('says that a code opened two doors', () => {
    const cases: Readonly<Record<string, readonly Entry[]>> = {
      'when two browsers are in by it': [attempt({ browser: 9 })],
      'when one browser is in by it twice': [attempt({ called: 5000, answered: 5010 })],
      'when a backup code is taken twice': [
        attempt({ browser: 9, code: 'backup:0', app: 'app 2', called: 60_000, answered: 60_010 }),
      ],
      'when what is no code is taken': [attempt({ browser: 9, code: 'wrong:9' })],
      'when none is taken': [attempt({ browser: 9, code: null })],
    }
    for (const [name, more] of Object.entries(cases)) {
      it(name, () => expect(broken(...more)).to.include(ONE_DOOR))
    }

    it('and where', () => {
      const [first] = violationsOf([attempt({ browser: 9, app: 'app 2' }), ...GOOD])
      expect(first?.violations).to.deep.equal([
        'ada with totp:7 opened 2 sessions: browser 9 through app 2 at 1.010 s, browser 1 through app 1 at 1.010 s',
      ])
    })

    it('but not of two users whose codes are of one step', () => {
      expect(
        broken(attempt({ browser: 9, user: 'cid' }), audited('cid', { codes: 1 })),
      ).to.deep.equal([])
    })
  })

  describe('counts verdicts on wrong codes', () => {
    it('six in a row are too many', () => {
      expect(broken(guess(7))).to.include(LIMIT)
    })

    it('a sixth one after the wait is not', () => {
      const [called, answered] = [59_000, 60_100]
      expect(
        broken(guess(7, { called, answered }), audited('guessed', { wrong: 6 })),
      ).to.deep.equal([])
    })

    it('a sixth one is not too early by as much as clocks differ', () => {
      const late = (answered: number) => guess(7, { called: answered - 5, answered })
      expect(broken(late(40_100))).to.not.include(LIMIT)
      expect(broken(late(39_900))).to.include(LIMIT)
    })

    it('the second wait is longer', () => {
      const later = [
        guess(7, { called: 60_000, answered: 60_100 }),
        guess(8, { called: 130_000, answered: 130_100 }),
      ]
      expect(broken(...later)).to.include(LIMIT)
      const last = guess(8, { called: 180_000, answered: 180_100 })
      expect(broken(...later.slice(0, 1), last)).to.not.include(LIMIT)
    })

    it('21 a day are too many, however long it takes', () => {
      const slow = Array.from({ length: 16 }, (_, nth) => {
        const answered = (nth + 1) * 1e9
        return guess(20 + nth, { called: answered - 5, answered })
      })
      expect(broken(...slow.slice(1))).to.not.include(LIMIT)
      expect(broken(...slow)).to.include(LIMIT)
    })

    it('a success between them begins a new row', () => {
      const between = attempt({ user: 'guessed', browser: 9, called: 100, answered: 110 })
      const after = guess(7, { called: 200, answered: 210 })
      expect(broken(between, after, audited('guessed', { codes: 1, wrong: 6 }))).to.deep.equal([])
    })
  })

  describe('says that somebody is in without a factor', () => {
    const cases: Readonly<Record<string, readonly Entry[]>> = {
      'by a password alone': [password({ browser: 9, verdict: 'signed-in' })],
      'by a pending login': [password({ browser: 9 }), page({ browser: 9 })],
      'by a wrong code': [
        guess(7, { status: 429, verdict: 'too-many-attempts' }),
        page({ browser: 107 }),
      ],
      'by a guess whose answer was lost': [
        guess(7, { status: null, verdict: 'none' }),
        page({ browser: 107, user: 'guessed' }),
      ],
      'by a code that was refused': [refused({ browser: 9, code: 'totp:8' }), page({ browser: 9 })],
      'before the code': [
        attempt({ browser: 9, code: 'totp:8' }),
        page({ browser: 9, called: 950 }),
      ],
      "by another browser's code": [page({ browser: 9 })],
    }
    for (const [name, more] of Object.entries(cases)) {
      it(name, () => expect(broken(...more)).to.include(FACTOR))
    }

    it('but not by a right code whose answer was lost', () => {
      const lost = { browser: 9, code: 'totp:8', status: null, app: null, verdict: 'none' } as const
      expect(broken(attempt(lost), page({ browser: 9 }))).to.deep.equal([])
    })
  })

  describe('says that the audit log is wrong', () => {
    const without = (user: string) =>
      GOOD.filter((entry) => !(entry.kind === 'audited' && entry.user === user))
    const cases: Readonly<Record<string, readonly Entry[]>> = {
      'when a user has none': without('ben'),
      'when an accepted code is not there': [...without('ben'), audited('ben')],
      'when an accepted backup code is not there': [
        ...without('ada'),
        audited('ada', { codes: 2 }),
      ],
      'when a wrong code is not there': [...without('guessed'), audited('guessed', { wrong: 4 })],
      'when more codes were accepted than were given': [
        ...without('ben'),
        audited('ben', { codes: 2 }),
      ],
      'when more backup codes were accepted than were given': [
        ...without('ada'),
        audited('ada', { codes: 2, backupCodes: 2 }),
      ],
    }
    for (const [name, history] of Object.entries(cases)) {
      it(name, () => expect(violationsOf(history).map(({ rule }) => rule)).to.deep.equal([AUDIT]))
    }

    it('but not when a code is there whose answer was lost', () => {
      const log = audited('ada', { codes: 3, backupCodes: 1 })
      expect(violationsOf([...without('ada'), log])).to.deep.equal([])
    })

    it('nor when it notes no more than 20 wrong codes a day', () => {
      const wrong = Array.from({ length: 21 }, (_, nth) => guess(nth))
      const log = audited('guessed', { wrong: 20 })
      expect(violationsOf([...wrong, log, ...lastLogins]).map(({ rule }) => rule)).to.deep.equal([
        LIMIT,
      ])
    })
  })

  describe('measures refusals', () => {
    it('and says which came late', () => {
      expect(broken(refused({ browser: 9, code: 'totp:8', answered: 3001 }))).to.deep.equal([
        IN_TIME,
      ])
    })

    it('without the time in which the process stood still', () => {
      const late = refused({ browser: 9, code: 'totp:8', answered: 5900 })
      expect(broken(late, pause({}))).to.deep.equal([])
      expect(broken(late, pause({ app: null }))).to.deep.equal([])
      expect(broken(late, pause({ app: 'app 2' }))).to.deep.equal([IN_TIME])
      expect(broken(late, pause({ stood: 1000 }))).to.deep.equal([IN_TIME])
      expect(broken(late, pause({ from: 0, to: 1500 }))).to.deep.equal([IN_TIME])
    })

    // The proxy sends a GET on to the next app when one has kept it for four seconds.
    it('without the time that the proxy lost at another app', () => {
      const late = refused({ browser: 9, code: 'totp:8', answered: 5900 })
      expect(broken({ ...late, elsewhere: 4000 })).to.deep.equal([])
      expect(broken({ ...late, elsewhere: 2800 })).to.deep.equal([IN_TIME])
      const before = pause({ from: 1000, to: 3000, stood: 2000 })
      expect(broken({ ...late, elsewhere: 2800 }, before)).to.deep.equal([IN_TIME])
    })

    it('but not what took long and was no refusal', () => {
      expect(broken(page({ called: 2000, answered: 9000 }))).to.deep.equal([])
    })
  })

  describe('says that there was no recovery', () => {
    it('from a fault', () => {
      const lasting = {
        fault: 'master killed',
        target: 'r',
        from: 1,
        healed: 2,
        recovered: null,
      } as const
      expect(broken({ kind: 'fault', ...lasting })).to.deep.equal([RECOVERY])
    })

    it('of a process that refuses a login at the end', () => {
      expect(broken({ kind: 'last-login', app: 'app 2', verdict: 'unavailable' })).to.deep.equal([
        RECOVERY,
      ])
    })

    it('of a process that nobody has tried', () => {
      const tried = GOOD.filter((entry) => !(entry.kind === 'last-login' && entry.app === 'app 2'))
      expect(violationsOf(tried).map(({ rule }) => rule)).to.deep.equal([RECOVERY])
    })
  })
})
