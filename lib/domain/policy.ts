/** `off`: nobody is asked; `optional`: who has set one up; `required`: everybody must. */
export type PolicyMode = 'off' | 'optional' | 'required'

/** The one document of settings that may change at run time. A change counts at the next request. */
export interface Policy {
  /** 0 while no document is stored; each write raises it by one. */
  readonly version: number
  readonly writeId: string
  readonly mode: PolicyMode
  /** Wrong codes a pending login may give before it is over; 3 to 10. */
  readonly codeAttempts: number
  /** Wrong passwords an account may give from one address in 15 minutes; 3 to 20. */
  readonly passwordAttempts: number
  /** Whether backup codes are made and accepted. */
  readonly backupCodes: boolean
}

/** What holds while nobody has changed anything. */
export const defaultPolicy: Policy = {
  version: 0,
  writeId: '',
  mode: 'optional',
  codeAttempts: 5,
  passwordAttempts: 10,
  backupCodes: true,
}
