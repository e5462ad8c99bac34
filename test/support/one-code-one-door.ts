import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server'
import { expect } from 'chai'
import { withCodes } from '../../lib/domain/authenticators.js'
import type { SecondStepRecord } from '../../lib/domain/record.js'
import type { RecordStore } from '../../lib/index.js'
import { virtualAuthenticator } from '../../lib/testing/index.js'
import {
  type EnrolledPerson,
  type ExampleApp,
  enrolNewPerson,
  newPerson,
  type Person,
  passwordLogin,
  redisForTests,
  sharedSecrets,
  startExampleApp,
} from './example-app.js'
import { wrongOathtoolCode } from './oathtool.js'
import type { Place } from './record-places.js'
import { connectToRedis, type RedisClient } from './redis.js'
import { type SoftwareKey, softwareKey } from './software-key.js'
import { type Answer, Visitor } from './visitor.js'

const PROCESSES = 3
const ORIGIN = 'http://localhost:3000'
const ROUNDS_OF_KEYS = 3
const TABS = 50
const ROUNDS = 100

/** Many tabs race for one code. Each place has a file of its own: its races take long. */
export function describeOneCodeOneDoor(place: Place, { signatures = false } = {}): void {
  describe(`One code opens one door, with the records in ${place.name}`, function () {
    this.timeout(300_000)
    let apps: readonly ExampleApp[] = []
    let server: Awaited<ReturnType<typeof redisForTests>>
    let redis: RedisClient
    let records: Awaited<ReturnType<Place['open']>>
    let store: RecordStore

    before(async () => {
      server = await redisForTests()
      redis = connectToRedis(server.url)
      records = await place.open(server.url)
      store = records.store
      const env = {
        REDIS_URL: server.url,
        TRUST_PROXY: '1',
        // Keys are made for one origin, which all processes have.
        ORIGIN,
        ...records.environment,
        ...sharedSecrets(),
      }
      apps = await Promise.all(Array.from({ length: PROCESSES }, () => startExampleApp(env)))
    })

    after(async () => {
      await Promise.all(apps.map((app) => app.stop()))
      await records?.close()
      redis?.disconnect()
      await server?.stop()
    })

    /** A browser with an address of its own, at one of the processes. */
    let browsers = 0
    function newVisitor(): Visitor {
      browsers += 1
      const address = `198.51.${browsers >> 8}.${browsers & 255}`
      const url = apps[browsers % apps.length]?.url ?? ''
      return new Visitor(url, { 'x-forwarded-for': address })
    }

    async function newPendingLogin(person: Person): Promise<Visitor> {
      const visitor = newVisitor()
      const begun = await passwordLogin(visitor, person)
      expect(begun.body.status).to.equal('code-required')
      return visitor
    }

    function newPendingLogins(count: number, person: Person): Promise<Visitor[]> {
      return Promise.all(Array.from({ length: count }, () => newPendingLogin(person)))
    }

    async function recordOf(visitor: Visitor): Promise<SecondStepRecord> {
      const { user } = (await visitor.getJson('/account')).body
      const record = await store.find(user?.id ?? '')
      if (record === null) throw new Error('no record')
      return record
    }

    /**
     * Many tabs give one code at once, round after round. Between the rounds the record is put back
     * to where no code was used, by one more write, so that no round waits for a new step of 30 s.
     */
    async function race(
      codeOf: (person: EnrolledPerson, round: number) => string,
      { give: giveIt, won, rounds, bound }: Race = CHALLENGE,
    ): Promise<void> {
      const owner = newVisitor()
      const person = await enrolNewPerson(owner)
      const set = await recordOf(owner)
      const unused = { ...bound(set), version: set.version + 1, writeId: 'bound' }
      expect(await store.write(unused, set.version)).to.be.true
      const tabs = await newPendingLogins(TABS, person)

      for (let round = 0; round < rounds; round += 1) {
        const code = codeOf(person, round)
        const answers = await Promise.all(tabs.map((tab) => giveIt(tab, code)))
        const winners = tabs.filter((_, index) => answers[index]?.status === 200)
        expect(tally(answers), `round ${round}`).to.deep.equal({
          [won]: 1,
          'wrong-code': TABS - 1,
        })
        expect(await sessionsOf(tabs), `round ${round}`).to.deep.equal(winners)

        const used = await store.find(unused.userId)
        expect(used?.attempts, `round ${round}`).to.deep.equal({ misses: [], consecutive: 0 })
        const version = used?.version ?? 0
        expect(await store.write({ ...unused, version: version + 1, writeId: `${round}` }, version))
          .to.be.true
        for (const winner of winners) tabs[tabs.indexOf(winner)] = await newPendingLogin(person)
      }
    }

    /** Which of the tabs are signed in, as Redis has it. */
    async function sessionsOf(tabs: readonly Visitor[]): Promise<readonly Visitor[]> {
      const keys = tabs.map((tab) => `sess:${sessionIdOf(tab)}`)
      const sessions = await Promise.all(keys.map((key) => redis.get(key)))
      return tabs.filter((_, index) => 'passport' in JSON.parse(sessions[index] ?? '{}'))
    }

    it('when many tabs give one code of the authenticator at many servers', async () => {
      await race(({ authenticator }) => authenticator.code(Date.now() + 30_000))
    })

    it('when many tabs give one backup code at many servers', async () => {
      await race(({ backupCodes }, round) => backupCodes[round % backupCodes.length] ?? '')
    })

    it('when many tabs give one code of a device with a button at many servers', async () => {
      await race((person) => pressed(person, COUNTER + 7), { ...CHALLENGE, ...COUNTED })
    })

    it('when many tabs bring one device back into step at many servers', async () => {
      await race(
        (person) => `${pressed(person, COUNTER + 300)} ${pressed(person, COUNTER + 301)}`,
        { give: giveBoth, won: 'resynchronised', ...COUNTED },
      )
    })

    if (signatures) {
      it('when one signature of a key is sent 200 times at once, to many servers', async () => {
        const person = newPerson()
        const key = await keyOf(newVisitor(), person)
        for (let round = 0; round < ROUNDS_OF_KEYS; round += 1) {
          const tab = await newPendingLogin(person)
          const credential = key.sign(await askedOf(tab))
          const posts = Array.from({ length: 200 }, (_, nth) => {
            const server = tab.at(apps[nth % apps.length]?.url ?? '')
            return server.postJson('/second-step/challenge', { credential })
          })
          const answers = await Promise.all(posts)
          const { 'signed-in': won, ...lost } = tally(answers)
          expect(won, `round ${round}: ${JSON.stringify(lost)}`).to.equal(1)
          const kinds = ['wrong-code', 'sign-in-again', 'not-signed-in', 'already-signed-in']
          expect(kinds).to.include.members(Object.keys(lost))
        }
      })

      it('when one signature of a key is given in many sessions with its challenge', async () => {
        const person = newPerson()
        const key = await keyOf(newVisitor(), person)
        for (let round = 0; round < ROUNDS_OF_KEYS; round += 1) {
          const tabs = await newPendingLogins(TABS, person)
          const [first] = tabs
          if (first === undefined) throw new Error('no tab')
          const credential = key.sign(await askedOf(first))
          const { challenges } = await sessionOf(first)
          await Promise.all(tabs.map((tab) => putChallenge(tab, challenges.login)))
          const answers = await Promise.all(
            tabs.map((tab) => tab.postJson('/second-step/challenge', { credential })),
          )
          expect(tally(answers), `round ${round}`).to.deep.equal({
            'signed-in': 1,
            'wrong-code': TABS - 1,
          })
          expect(await sessionsOf(tabs)).to.have.length(1)
        }
      })
    }

    /** Our part of a session, as Redis has it. */
    async function sessionOf(tab: Visitor) {
      return JSON.parse((await redis.get(`sess:${sessionIdOf(tab)}`)) ?? '{}').secondStep
    }

    /** As if this session had been asked the same, by its own login. */
    async function putChallenge(tab: Visitor, challenge: object): Promise<void> {
      const name = `sess:${sessionIdOf(tab)}`
      const session = JSON.parse((await redis.get(name)) ?? '{}')
      const login = { ...challenge, owner: session.secondStep.pending.id }
      const secondStep = { ...session.secondStep, challenges: { login } }
      await redis.set(name, JSON.stringify({ ...session, secondStep }), 'KEEPTTL')
    }

    it('and the tab that lost is not signed in, but has lost no attempt', async () => {
      const person = await enrolNewPerson(newVisitor())
      const tabs = await newPendingLogins(2, person)
      const code = person.authenticator.next()
      const answers = await Promise.all(tabs.map((tab) => give(tab, code)))
      const accounts = await Promise.all(tabs.map((tab) => tab.getJson('/account')))
      expect(accounts.map(({ status }) => status)).to.have.members([200, 401])

      const loser = tabs.find((_, index) => answers[index]?.status !== 200) ?? newVisitor()
      const wrong = await wrongOathtoolCode(person.secret)
      const misses: Answer[] = []
      for (let miss = 0; miss < 6; miss += 1) misses.push(await give(loser, wrong))
      expect(tally(misses)).to.deep.equal({ 'wrong-code': 5, 'sign-in-again': 1 })
    })

    describe('A burst of wrong codes', () => {
      it('gets no more verdicts than the account has, and then right and wrong look the same', async () => {
        const person = await enrolNewPerson(newVisitor())
        const tabs = await newPendingLogins(40, person)
        const spare = await newPendingLogins(3, person)
        const wrong = await wrongOathtoolCode(person.secret)
        const guesses = Array.from({ length: 5 }, () => tabs).flat()
        const judged = await Promise.all(guesses.map((tab) => giveUntilJudged(tab, wrong)))

        const {
          'wrong-code': verdicts = 0,
          'too-many-attempts': waits = 0,
          'sign-in-again': ends = 0,
        } = tally(judged.map(({ answer }) => answer))
        expect(verdicts + waits + ends).to.equal(200)
        // Where a guess was refused, it may have been counted all the same.
        const refused = judged.reduce((sum, { refusals }) => sum + refusals, 0)
        expect(verdicts).to.be.within(Math.max(0, 5 - refused), 5)

        const [one, two, three] = spare
        if (!one || !two || !three) throw new Error('three tabs are to spare')
        const right = await give(one, person.authenticator.next())
        const another = await give(two, wrong)
        expect([right.status, right.text]).to.deep.equal([429, another.text])
        expect(bare(right)).to.deep.equal(bare(another))
        const backup = await give(three, person.backupCodes[0] ?? '')
        expect(backup.body).to.include({ status: 'signed-in', method: 'backup-code' })
      })

      it('counts each guess once, however many come at once', async () => {
        const owner = newVisitor()
        const person = await enrolNewPerson(owner)
        const tabs = await newPendingLogins(10, person)
        const wrong = await wrongOathtoolCode(person.secret)
        await Promise.all(tabs.map((tab) => give(tab, wrong)))
        const { attempts } = await recordOf(owner)
        expect(attempts.consecutive).to.equal(5)
        expect(attempts.misses).to.have.length(5)
      })
    })
  })
}

/** What is raced for. */
interface Race {
  give(visitor: Visitor, code: string): Promise<Answer>
  /** The status of the one answer. */
  readonly won: string
  /** How often they race. */
  readonly rounds: number
  /** What the owner has, before the code is given. */
  bound(record: SecondStepRecord): SecondStepRecord
}

const CHALLENGE: Race = {
  give,
  won: 'signed-in',
  rounds: ROUNDS,
  bound: (record) => record,
}

/** It is written as the code of an app is, so that fewer rounds show what is its own. */
const COUNTED = { rounds: ROUNDS / 4, bound: withButton } as const

const COUNTER = 10

/** The owner's app is a device with a button, of the same secret. */
function withButton(record: SecondStepRecord): SecondStepRecord {
  const authenticators = withCodes(record).map(
    ({ id, name, since, lastUsedAt, serial, algorithm, digits, secret }) => ({
      ...{ id, name, since, lastUsedAt, serial, algorithm, digits, secret },
      ...({ type: 'hotp', counter: COUNTER, farMisses: [] } as const),
    }),
  )
  return { ...record, authenticators }
}

/** A new user with a security key and nothing else. */
async function keyOf(visitor: Visitor, person: Person): Promise<SoftwareKey> {
  await visitor.postJson('/register', person)
  const { options } = (await visitor.getJson('/second-step/setup?type=webauthn')).body
  if (options === undefined) throw new Error('no key can be set up')
  const key = softwareKey({ origin: ORIGIN })
  const set = await visitor.postJson('/second-step/setup', { credential: key.register(options) })
  expect(set.status, set.text).to.equal(200)
  return key
}

async function askedOf(visitor: Visitor): Promise<PublicKeyCredentialRequestOptionsJSON> {
  const { webauthn } = (await visitor.getJson('/second-step/challenge')).body
  return webauthn ?? expect.fail('no key is asked')
}

function pressed({ secret }: EnrolledPerson, counter: number): string {
  return virtualAuthenticator(`otpauth://hotp/a?secret=${secret}&counter=${counter}`).next()
}

/** Two consecutive codes, with a blank between them. */
function giveBoth(visitor: Visitor, codes: string): Promise<Answer> {
  const [code = '', nextCode = ''] = codes.split(' ')
  return visitor.postJson('/second-step/resync', { code, nextCode })
}

function give(visitor: Visitor, code: string): Promise<Answer> {
  return visitor.postJson('/second-step/challenge', { code })
}

/** Again after a refusal: 200 at once may be too many for a slow machine. */
async function giveUntilJudged(
  visitor: Visitor,
  code: string,
  refusals = 0,
): Promise<{ readonly answer: Answer; readonly refusals: number }> {
  const answer = await give(visitor, code)
  if (answer.status !== 503) return { answer, refusals }
  expect(refusals, 'refusals of one guess').to.be.below(20)
  return giveUntilJudged(visitor, code, refusals + 1)
}

/** How often each answer was given. */
function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { body } of answers) {
    const what = String(body.code ?? body.status)
    counts[what] = (counts[what] ?? 0) + 1
  }
  return counts
}

/** The headers, but for those that tell the time. */
function bare({ headers }: Answer): object {
  const { date, 'retry-after': seconds, ...others } = headers
  expect(Number(seconds)).to.be.within(1, 60)
  return others
}

function sessionIdOf(visitor: Visitor): string {
  const [, id = ''] = /^s:(.+)\./.exec(decodeURIComponent(visitor.cookie('sid') ?? '')) ?? []
  return id
}
