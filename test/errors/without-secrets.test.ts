// Somebody reads a log or a terminal. Drivers repeat in their messages what they were given: addresses,
// connection strings, commands, JSON. The passwords in those must not come along.

import { expect } from 'chai'
import fc from 'fast-check'
import { withoutSecrets } from '../../lib/errors/without-secrets.js'

/** Where a driver puts a password, and how it writes one there. */
const PLACES: Record<string, (password: string) => string> = {
  'an address': (password) => `connect postgres://app:${password}@db:5432/app failed`,
  'an address without a user': (password) => `connect redis://:${password}@cache failed`,
  'an address without an end': (password) =>
    `Invalid URL: rediss://app:x${password.replaceAll('@', 'x')}`,
  'an address in quotes': (password) => `cannot parse "mysql://app:${password}@db/x", sorry`,
  'an address without a scheme': (password) => `cannot reach app:${plain(password)}@tcp(db)/x`,
  'a query': (password) => `GET https://db.example/?token=${password} failed`,
  'a connection string': (password) => `host=db password=${password} user=app`,
  'a quoted connection string': (password) => `password='${escaped(password, "'")}' user=app`,
  'an environment': (password) => `PGPASSWORD=${password} psql`,
  'an environment of ours': (password) => `SECOND_STEP_KEY=${password} node app`,
  JSON: (password) => `got ${JSON.stringify({ user: 'app', password, port: 1 })}`,
  'JSON in JSON': (password) => JSON.stringify(JSON.stringify({ password, port: 1 })),
  'a list in JSON': (password) => JSON.stringify({ passwords: ['x', password] }),
  'an inspected object': (password) => `{ user: 'app', dbPass: '${escaped(password, "'")}' }`,
  SQL: (password) => `ALTER USER app PASSWORD '${password.replaceAll("'", "''")}'`,
  'a Redis command': (password) => `AUTH app ${password}`,
  'a Redis command without a user': (password) => `HELLO 3 AUTH ${password}`,
  'a monitored command': (password) => `"auth" "app" "${escaped(password, '"')}"`,
  'the arguments of a command': (password) =>
    `failed: ${JSON.stringify({ name: 'auth', args: ['app', password] })}`,
  'an unknown command': (password) =>
    `ERR unknown command 'AUTH', with args beginning with: 'app' '${password}'`,
  'a header': (password) => `authorization: Bearer ${password}`,
  'a header without its name': (password) => `refused: Bearer 0123456789${password}`,
  'an option of a command': (password) => `failed: mysqldump -u app --password ${password} db`,
  'a short option of redis-cli': (password) => `failed: redis-cli -h db -a ${password} ping`,
  'a short option of mysqldump': (password) => `failed: mysqldump -u app -p${password} db`,
  'an environment of ours with a list': (password) => `SECOND_STEP_KEYS=x,${password} node app`,
  'an option of ours': (password) => `keys: ${JSON.stringify(['x', password])}`,
  'an encryption key': (password) => `encryptionKey: '${escaped(password, "'")}'`,
  'a private key': (password) =>
    `-----BEGIN EC PRIVATE KEY-----\nx\n${password}\n-----END EC PRIVATE KEY-----`,
  'a private key without an end': (password) => `-----BEGIN PRIVATE KEY-----\n${password}`,
  'a reset link': (password) =>
    `GET https://a.example/second-step/lost/0123456789ab${password.replace(/[/?#"'`]/g, '')}/cancel`,
  'what a parser met': (password) => `Unexpected token 'h', "${password}" is not valid JSON`,
}

const plain = (password: string) => password.replace(/[@"'<>]/g, 'x').replace(/^\/\//, 'x')
const escaped = (password: string, quote: string) =>
  password.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`)

/** Characters that end something in an address, in a string or in a list. */
const AWKWARD = [...'/#?@:\\%=+<>!$()[]{}|~^*.,;&', '"', "'", '`']
/** What no other part of the texts above has: where one of them is, a piece of the password is. */
const OWN = [...'QZÄÖ']
const letters = fc.constantFrom(...OWN, ...AWKWARD)
const passwords = fc
  .tuple(fc.constantFrom(...OWN), fc.array(letters, { maxLength: 20 }), fc.constantFrom(...OWN))
  .map(([first, middle, last]) => [first, ...middle, last].join(''))

describe('a text without its secrets', () => {
  for (const [place, write] of Object.entries(PLACES)) {
    it(`holds no password that stood in ${place}`, () => {
      fc.assert(
        fc.property(passwords, (password) => {
          expect(withoutSecrets(write(password))).to.not.match(new RegExp(`[${OWN.join('')}]`))
        }),
        { numRuns: 300 },
      )
    })
  }

  it('marks each omission, and keeps everything else', () => {
    for (const [text, left] of [
      ['postgres://app:hun/ter2@db', 'postgres://…@db'],
      ['redis://:pw@cache:6379 is away', 'redis://…@cache:6379 is away'],
      ['{"user":"app","password":"hun\\"ter2","port":1}', '{"user":"app","password":"…","port":1}'],
      ["password='hun ter2' host=db", "password='…' host=db"],
      ['Server=db;Password=hun;ter2', 'Server=db;Password=…'],
      ['a?password=hun&ter2', 'a?password=…'],
      ['ERR AUTH app hunter2', 'ERR AUTH …'],
    ] as const) {
      expect(withoutSecrets(text)).to.equal(left)
    }
  })

  const harmless = [
    'connect ECONNREFUSED 127.0.0.1:6379',
    'getaddrinfo ENOTFOUND redis://cache:6379/0',
    'mongodb://a:1,b:2/app: no server',
    'password authentication failed for user "app"',
    // A user of a realm whose id is an e-mail address.
    'what is stored as acme:ann@acme.example cannot be read',
    'POST /token: the callback never calls req.logIn()',
    'WRONGPASS invalid username-password pair or user is disabled.',
    'NOAUTH Authentication required.',
    'ERR AUTH <password> called without any password configured for the default user.',
    "ERR wrong number of arguments for 'auth' command",
    'passport-second-step: the record store is not available: READONLY',
    "Cannot find package 'x' imported from file:///app/node_modules/@acme/x/index.js:3:1",
    "Unexpected token '}'",
    'GET /second-step/lost/cancelled failed',
    'WWW-Authenticate: Bearer realm="app"',
    'Bearer authentication is not supported',
    'keys[1] (abcdefgh): still needed by the backup codes of 1 user',
    "Option '--password <value>' argument missing",
    'redis-cli -h db ping',
    '-----BEGIN CERTIFICATE-----',
    '--password-attempts must be a whole number, 1 to 100.',
    'there is no option `limitPassword.acount`: did you mean account?',
    'duplicate key value violates unique constraint "second_step_records_pkey"',
  ]
  for (const text of harmless) {
    it(`leaves alone: ${text}`, () => {
      expect(withoutSecrets(text)).to.equal(text)
    })
  }

  it('never throws, and is soon done with a text that is long and odd', () => {
    // Part of a message may be what a visitor sent.
    const odd = [
      'a://',
      '\\',
      'a:',
      '"',
      '\\"',
      'password',
      'password=',
      '[',
      'args:[',
      'AUTH ',
      'redis-cli ',
      'mysql -a ',
      '--password ',
      "--password '",
      '-----BEGIN PRIVATE KEY-----',
      '/lost/',
      'Bearer ',
      ', "',
      '@',
    ]
    for (const piece of odd) {
      const begun = performance.now()
      withoutSecrets(piece.repeat(100_000 / piece.length))
      withoutSecrets(`password="${piece.repeat(100_000 / piece.length)}`)
      expect(performance.now() - begun, piece).to.be.below(2000)
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        withoutSecrets(text)
      }),
    )
  })
})
