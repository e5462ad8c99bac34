import type { MailedDevices } from '../service/mailed-devices.js'
import type { Translate } from './messages.js'

/**
 * What goes on working beside one device: the user's other devices, unless none works or wrong codes have
 * locked them, and backup codes, if they have some. A sentence, or nothing.
 *
 * @param others how many devices besides it work
 */
function workingTexts(
  {
    others,
    locked,
    backupCodes,
  }: { readonly others: number } & Omit<MailedDevices, 'source' | 'count' | 'keys'>,
  t: Translate,
): readonly string[] {
  const devices = others > 0 && !locked
  if (devices) return [t(backupCodes ? 'device.others-and-codes-work' : 'device.others-work')]
  return backupCodes ? [t('device.codes-work')] : []
}

/** The same in the mail about a device that is gone by then, or answers nothing any more. */
export function besideLost(devices: MailedDevices | null, t: Translate): readonly string[] {
  return devices === null ? [] : workingTexts({ ...devices, others: devices.count }, t)
}

/** The same in the mail about a device that is among them. Its set-up or codes may end backup codes. */
export function besideAdded(devices: MailedDevices | null, t: Translate): readonly string[] {
  if (devices === null) return []
  return workingTexts({ ...devices, others: devices.count - 1, backupCodes: false }, t)
}
