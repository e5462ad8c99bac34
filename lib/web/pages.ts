import { existsSync, readFileSync, statSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ejs, { type TemplateFunction } from 'ejs'
import { ConfigurationError } from '../errors/configuration-error.js'
import type { Translate } from './messages.js'

/** The pages there are; each is the view of that name. */
export type PageName = keyof PageData

/** What every page is given besides its own data. */
export interface PageFrame {
  readonly t: Translate
  readonly lang: string
  readonly dir: string
  /** `paths.secondStep` */
  readonly base: string
  readonly issuer: string
  /** The host's own hidden fields: they are in every form. */
  readonly formFields: Readonly<Record<string, string>>
  /** `paths.signIn` */
  readonly signIn: string
  /** `paths.signedIn` */
  readonly signedIn: string
}

/** What went wrong, in the visitor's language. */
export interface PageProblem {
  readonly code: string
  readonly detail: string
  /** Minutes until it is worth trying again, where that is known. */
  readonly minutes?: number
  /** Seconds that the device's clock is ahead or, below zero, behind, where a code told. */
  readonly clockOff?: number
}

/** What the settings page offers, each asked for with a code. */
export type SettingsAction = 'backup-codes' | 'change-key' | 'show-key' | 'reset' | 'disable'

/** What each page shows. */
export type PageData = {
  challenge: {
    readonly problem: PageProblem | null
    /** Backup codes are accepted. */
    readonly backupCode: boolean
    /** The problem is about a backup code: that form is open and has the focus. Default: false. */
    readonly typedBackupCode?: boolean
    /** The way out for a lost authenticator is offered. */
    readonly lost: boolean
    /** This browser may be trusted. */
    readonly trust: boolean
    /** The server's time, where the device's clock may be the trouble; else null. */
    readonly clock: Date | null
  }
  setup: {
    readonly problem: PageProblem | null
    /** `show-key`: the live key once more, with nothing to confirm. */
    readonly purpose: 'setup' | 'change-key' | 'show-key'
    readonly account: string
    readonly issuer: string
    /** Base32 in groups of four. */
    readonly key: string
    /** `otpauth:` */
    readonly uri: string
    /** SVG markup: the one thing that is shown as it is. */
    readonly qr: string
    /** There is a pending login that can be cancelled. */
    readonly cancel: boolean
  }
  'backup-codes': {
    readonly problem: PageProblem | null
    /** As people see them. Empty: the second step is on without backup codes. */
    readonly codes: readonly string[]
    readonly madeAt: Date
    /** The user's other sessions have just ended. */
    readonly sessionsEnded: boolean
    /** Where to go on without codes; with codes the form's answer leads there, so no field can. */
    readonly next: string
  }
  fresh: {
    readonly problem: PageProblem | null
    /** Backup codes are accepted. */
    readonly backupCode: boolean
    /** As on the challenge page. */
    readonly typedBackupCode?: boolean
  }
  settings: {
    readonly problem: PageProblem | null
    readonly enrolled: boolean
    readonly method: string | null
    /** ISO 8601 */
    readonly since: string | null
    readonly backupCodesLeft: number
    readonly backupCodesSaved: boolean
    readonly canDisable: boolean
    /** Backup codes may be made. */
    readonly backupCodes: boolean
    /** The live key may be shown again. */
    readonly showKey: boolean
    /** The action whose form the problem belongs to. */
    readonly action: SettingsAction | null
    /** What has just been done. */
    readonly notice: 'disabled' | null
    /** Where the visitor was going. */
    readonly next: string
  }
  problem: {
    readonly problem: PageProblem
    /** Where to go on; null: to the first step. */
    readonly next: string | null
  }
}

/** Makes a page: an HTML document. */
export type Render = <P extends PageName>(
  page: P,
  data: PageData[P],
  frame: PageFrame,
) => Promise<string> | string

type Titles = { [P in PageName]: (data: PageData[P], t: Translate) => string }

const OURS = fileURLToPath(new URL('../../views', import.meta.url))

const titles: Titles = {
  challenge: (_, t) => t('challenge.title'),
  setup: (_, t) => t('setup.title'),
  'backup-codes': ({ codes }, t) =>
    codes.length > 0 ? t('backup-codes.title') : t('backup-codes.title-without'),
  fresh: (_, t) => t('fresh.title'),
  settings: (_, t) => t('settings.title'),
  problem: ({ problem }, t) => t(`problem.${problem.code}.title`),
}

/**
 * The pages in EJS. A view sees what PageFrame names, `data`, `page` and `title`, and has
 * `include(name, values)`, which looks in the host's folder first wherever the caller is.
 *
 * @param viewsFolder the host's folder: a file in it replaces our view or part of that name
 * @throws ConfigurationError where the folder is none, or a view in it can't be compiled
 */
export function ejsPages(viewsFolder?: string): Render {
  const folders = viewsFolder === undefined ? [OURS] : [folderOf(viewsFolder), OURS]
  // Not EJS's own cache: it is shared by all instances and keeps the first one's folders.
  const parts = new Map<string, TemplateFunction>()

  const part = (name: string): TemplateFunction => {
    const known = parts.get(name) ?? compile(name, folders)
    parts.set(name, known)
    return known
  }
  const write = (name: string, values: object): string =>
    part(name)({
      ...values,
      include: (other: string, more: object = {}) => write(other, { ...values, ...more }),
    })

  for (const name of ['_frame', ...Object.keys(titles)]) part(name)
  return (page, data, frame) => {
    const values = { ...frame, page, data, title: titles[page](data, frame.t) }
    return write('_frame', { ...values, body: write(page, values) })
  }
}

function compile(name: string, folders: readonly string[]): TemplateFunction {
  const file = extname(name) === '' ? `${name}.ejs` : name
  const filename = folders.map((folder) => resolve(folder, file)).find((path) => existsSync(path))
  if (filename === undefined) throw new ConfigurationError(`views: there is no view "${file}"`)
  try {
    return ejs.compile(readFileSync(filename, 'utf8'), { filename, async: false })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigurationError(`views: ${filename} can't be compiled: ${why}`, { cause })
  }
}

function folderOf(path: string): string {
  const folder = resolve(path)
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return folder
  throw new ConfigurationError(`views: ${folder} is no folder; give the one with your views`)
}
