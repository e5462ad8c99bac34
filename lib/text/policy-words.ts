import { FACTOR_METHODS } from '../factors/factors.js'
import type { Translate } from './messages.js'
import type { PolicyLine, PolicyValue } from './policy-lines.js'

const LABELS: Readonly<Record<string, string>> = {
  mode: 'admin.policy.mode',
  roles: 'admin.policy.mode',
  accepts: 'admin.policy.accepts',
  graceDays: 'admin.policy.grace',
  codeAttempts: 'admin.policy.code-attempts',
  passwordAttempts: 'admin.policy.password-attempts',
  backupCodes: 'settings.backup-codes',
}

const METHODS: readonly unknown[] = FACTOR_METHODS
const MODES: readonly unknown[] = ['off', 'optional', 'required']

/** One change of the policy in words; what has none is shown as it is. `before`: undefined if it is not known. */
export function policyWords({ setting, now, before }: PolicyLine, t: Translate) {
  const label = LABELS[setting]
  return {
    label: label === undefined ? setting : t(label),
    now: wordsOf(setting, now, t),
    before: before === undefined ? undefined : wordsOf(setting, before, t),
  }
}

function wordsOf(setting: PolicyLine['setting'], value: PolicyValue, t: Translate): string {
  if (setting === 'accepts') {
    if (value === null) return t('admin.policy.everything')
    return [value]
      .flat()
      .map((one) => (METHODS.includes(one) ? t(`factor.${one}.accepted`) : one))
      .join(', ')
  }
  if (setting === 'roles' && value === null) return t('admin.policy.no-rule')
  if (setting === 'backupCodes') {
    return t(value === true ? 'admin.policy.backup-codes-on' : 'admin.policy.backup-codes-off')
  }
  return MODES.includes(value) ? t(`mode.${value}`) : String(value)
}
