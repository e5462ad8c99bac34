import type { AnnouncedEvent } from '../service/announcer.js'
import type { MailedDevices } from '../service/mailed-devices.js'
import type { MailName } from '../service/mails.js'
import type { Translate } from './messages.js'
import { timeShown } from './time-shown.js'

/** Mails that warn of wrong codes, as far as their words depend on the user's devices. */
export interface WarningContext {
  readonly issuer: string
  readonly t: Translate
  readonly lang: string
  /** Null: unknown. Then nothing is said that is true of some users alone. */
  readonly devices: MailedDevices | null
}

const TRIES: readonly MailName[] = ['wrong-code', 'authenticator-locked', 'pending-login-used-up']

export function isAboutTries({ type }: AnnouncedEvent<MailName>): boolean {
  return TRIES.includes(type)
}

/** Until when which codes don't work, and what does meanwhile. */
export function lockTexts(
  until: Date,
  { issuer, t, lang, devices }: WarningContext,
): readonly string[] {
  const isApp = devices?.source === 'app'
  const what = isApp ? 'mail.authenticator-locked.what' : 'mail.authenticator-locked.what-devices'
  const working = [
    ...(devices?.keys === true ? ['keys'] : []),
    ...(devices?.backupCodes === true ? ['backup-codes'] : []),
  ]
  const meanwhile = working.length > 0 ? working : ['no-backup-codes']
  return [
    t(what, { until: timeShown(until, t, lang) }),
    ...meanwhile.map((one) => t(`mail.authenticator-locked.${one}`, { issuer })),
  ]
}

/** What to try if the wrong codes were the user's own. */
export function triesAdvice({ t, devices }: Pick<WarningContext, 't' | 'devices'>): string {
  if (devices?.source === 'none') return t('mail.were-your-tries-keys')
  const hasCodes = devices?.backupCodes === true
  if (devices?.source === 'app') {
    return t(hasCodes ? 'mail.were-your-tries' : 'mail.were-your-tries-no-codes')
  }
  return t(hasCodes ? 'mail.were-your-tries-device' : 'mail.were-your-tries-device-no-codes')
}
