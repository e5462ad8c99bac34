import type { CDPSession, Page } from 'playwright-core'

/** What Chromium's own virtual authenticator is like. */
export interface VirtualKeyOptions {
  /** It knows its user, as by a fingerprint. Default: true */
  readonly isUserVerified?: boolean
  /** Its credentials are synced. Default: false */
  readonly isSynced?: boolean
}

/** A security key in one of Chromium's USB ports. */
export interface VirtualKey {
  /** Pulls it out. */
  remove(): Promise<void>
  /** Whether somebody touches it when it blinks. */
  touch(isTouched: boolean): Promise<void>
  /** A copy of it in another port, with its counter as it is now. It is pulled out itself. */
  replaceByCopy(counter: number): Promise<VirtualKey>
  /** The counter of its only credential. */
  counter(): Promise<number>
  /** Whether it knows its user from now on. */
  verifyUser(isUserVerified: boolean): Promise<void>
  /** What it does wrong from now on. */
  misbehave(how: {
    isBogusSignature?: boolean
    isBadUV?: boolean
    isBadUP?: boolean
  }): Promise<void>
}

/** Plugs a key in. Each page has ports of its own. */
export async function plugIn(page: Page, options: VirtualKeyOptions = {}): Promise<VirtualKey> {
  const session = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  return plugInto(session, options)
}

type Credential = Awaited<ReturnType<typeof credentialsOf>>[number]

async function credentialsOf(session: CDPSession, authenticatorId: string) {
  return (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials
}

async function plugInto(
  session: CDPSession,
  options: VirtualKeyOptions,
  credential: Credential | null = null,
): Promise<VirtualKey> {
  const { isUserVerified = true, isSynced = false } = options
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport: 'usb',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified,
      automaticPresenceSimulation: true,
      defaultBackupEligibility: isSynced,
      defaultBackupState: isSynced,
    },
  })
  if (credential !== null) {
    await session.send('WebAuthn.addCredential', { authenticatorId, credential })
  }
  const onlyCredential = async () => {
    const [only] = await credentialsOf(session, authenticatorId)
    if (only === undefined) throw new Error('the key has no credential')
    return only
  }
  const remove = () => session.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId })
  return {
    remove: async () => void (await remove()),
    touch: async (enabled) =>
      void (await session.send('WebAuthn.setAutomaticPresenceSimulation', {
        authenticatorId,
        enabled,
      })),
    counter: async () => (await onlyCredential()).signCount,
    async replaceByCopy(counter) {
      const own = await onlyCredential()
      await remove()
      return plugInto(session, options, { ...own, signCount: counter })
    },
    verifyUser: async (verified) =>
      void (await session.send('WebAuthn.setUserVerified', {
        authenticatorId,
        isUserVerified: verified,
      })),
    misbehave: async (how) =>
      void (await session.send('WebAuthn.setResponseOverrideBits', { authenticatorId, ...how })),
  }
}
