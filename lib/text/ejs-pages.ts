import type { Translate } from './messages.js'
import type { PageData, PageName, Render } from './pages.js'
import type { PolicyLine } from './policy-lines.js'
import { policyWords } from './policy-words.js'
import { textAround } from './time-shown.js'
import type { Views } from './views.js'

type Titles = { [P in PageName]: (data: PageData[P], t: Translate) => string }

const SETUP_TITLES = {
  'change-key': 'setup.title-change',
  add: 'setup.title-add',
  'show-key': 'setup.title-show',
}

const titles: Titles = {
  challenge: ({ keys }, t) => t(keys === true ? 'fresh.title' : 'challenge.title'),
  setup: ({ purpose }, t) => (purpose === 'setup' ? t('setup.title') : t(SETUP_TITLES[purpose])),
  'setup-key': ({ purpose }, t) =>
    purpose === 'setup' ? t('setup.title') : t(SETUP_TITLES[purpose]),
  'backup-codes': ({ codes, asked = true }, t) => {
    if (codes.length > 0) return t('backup-codes.title')
    return t(asked ? 'backup-codes.title-without' : 'event.enrolled')
  },
  fresh: (_, t) => t('fresh.title'),
  settings: (_, t) => t('settings.title'),
  lost: (_, t) => t('lost.title'),
  'lost-link': (_, t) => t('lost-link.title'),
  'lost-cancelled': (_, t) => t('lost-cancelled.title'),
  'admin-overview': (_, t) => t('admin.overview'),
  'admin-users': (_, t) => t('admin.users'),
  'admin-user': ({ user }) => user.name ?? user.email ?? user.id,
  'admin-action': ({ forms: [form = 'note'] }, t) => t(`admin.${form}.summary`),
  'admin-bulk': ({ action, ids }, t) =>
    `${t(`admin.${action}.summary`)}: ${t('admin.bulk.count', { count: ids.length })}`,
  'admin-codes': ({ kind }, t) => t(`admin.${kind}.title`),
  'admin-policy': (_, t) => t('admin.policy'),
  'admin-policy-preview': (_, t) => t('admin.preview.title'),
  'admin-events': (_, t) => t('admin.events'),
  'admin-event': ({ event: { hasText, type } }, t) => (hasText ? t(`event.${type}`) : type),
  problem: ({ problem }, t) => problem.title ?? t(`problem.${problem.code}.title`),
}

/**
 * The pages in EJS. A view sees what PageFrame names, `data`, `page` and `title`, `around(key,
 * name, at)`: the pieces of a text around the moment that its placeholder `name` stands for, and
 * `policyWords(line)`: a change of the policy in words.
 */
export function ejsPages(views: Views): Render {
  for (const name of ['_frame', ...Object.keys(titles)]) views.check(name)
  return (page, data, frame) => {
    const around = (key: string, name: string, at: Date) => textAround(frame.t, key, name, at)
    const inWords = (line: PolicyLine) => policyWords(line, frame.t)
    const title = titles[page](data, frame.t)
    const values = { ...frame, page, data, around, policyWords: inWords, title }
    return views.write('_frame', { ...values, body: views.write(page, values) })
  }
}
