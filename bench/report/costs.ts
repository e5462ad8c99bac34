import { type Figure, middle, shownValue } from './figure.js'

const BEGIN = '<!-- costs, written by `npm run bench` -->'
const END = '<!-- end of costs -->'

/** A request, and where the figures tell what it costs. */
interface Row {
  readonly request: string
  readonly trips?: string
  /** The app that the trips are beside. */
  readonly beside?: string
  readonly ratio?: { readonly what: string; readonly to: string }
}

const ROWS: readonly Row[] = [
  {
    request: 'A page behind the guard',
    trips: 'guarded GET',
    beside: 'plain',
    ratio: { what: 'guarded GET: requests/s ÷ the plain app', to: 'of the app without it' },
  },
  {
    request: 'The same with `revocation`',
    ratio: {
      what: 'guarded GET, bounded mode: requests/s ÷ the plain app',
      to: 'of the app without it',
    },
  },
  {
    request: 'A login, up to the question for a code',
    trips: 'login up to the code',
    beside: 'plain',
    ratio: { what: 'login up to the code ÷ plain login', to: 'of a login without it' },
  },
  {
    request: 'The same with `limitPassword()`',
    trips: 'login up to the code, with limitPassword()',
    ratio: {
      what: 'login up to the code, with limitPassword() ÷ plain login',
      to: 'of a login without it',
    },
  },
  {
    request: 'A login of a user without a second step',
    trips: 'login without a second step',
    beside: 'plain',
    ratio: {
      what: 'login of a user without a second step ÷ plain login',
      to: 'of a login without it',
    },
  },
  {
    request: 'A code',
    trips: 'second-step POST',
    beside: 'passport-totp',
    ratio: {
      what: 'second-step POST: requests/s ÷ passport-totp',
      to: 'of passport-totp, which limits, burns and logs nothing',
    },
  },
  {
    request: 'A backup code',
    trips: 'second-step POST, backup code',
    ratio: {
      what: 'second-step POST, backup code: requests/s ÷ passport-totp',
      to: 'of a code at passport-totp',
    },
  },
]

const BYTES = {
  record: 'Redis bytes a user: record and lists',
  audit: 'Redis bytes a user: audit log after set-up and one login',
}

/**
 * Puts the costs of the requests into the README, between its marks.
 *
 * @throws Error for a README without the marks
 */
export function withCosts(readme: string, figures: readonly Figure[]): string {
  const [from, to] = [readme.indexOf(BEGIN), readme.indexOf(END)]
  if (from < 0 || to < from) throw new Error(`the README has no marks "${BEGIN}", "${END}"`)
  const written = [BEGIN, '', costsOf(figures), '', ''].join('\n')
  return readme.slice(0, from) + written + readme.slice(to)
}

function costsOf(figures: readonly Figure[]): string {
  const figureOf = (what: string) => figures.find((figure) => figure.what === what)
  const tripsOf = ({ trips, beside }: Row): string => {
    if (trips === undefined) return ''
    const figure = figureOf(`${trips}: trips in sequence`)
    const other = figure?.beside?.find(([name]) => name === beside)
    const own = shownValue(figure?.value ?? null, 'count')
    return other === undefined ? own : `${own} (${nameOf(other[0])} ${middle(other[1])})`
  }
  const ratioOf = ({ ratio }: Row): string => {
    const value = ratio === undefined ? undefined : figureOf(ratio.what)?.value
    return value === undefined || value === null || ratio === undefined
      ? '–'
      : `${middle(value).toFixed(2)} ${ratio.to}`
  }
  const rows = ROWS.map((row) => [row.request, tripsOf(row), ratioOf(row)])
  const head = ['request', 'trips to Redis, one after another', 'requests a second']
  const table = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  const bytesOf = (what: string) => shownValue(figureOf(what)?.value ?? null, 'bytes')
  const bytes =
    `A user takes ${bytesOf(BYTES.record)} of Redis, and ${bytesOf(BYTES.audit)} more in the audit log ` +
    'after a set-up and a login.'
  return [...table, '', bytes].join('\n')
}

function nameOf(app: string): string {
  return app === 'plain' ? 'without it' : app
}
