import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type PublicKeyCredentialRequestOptionsJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import { expect } from 'chai'
import { type SoftwareKey, softwareKey } from './software-key.js'

const ORIGIN = 'http://localhost:3000'
const RP_ID = 'localhost'

describe("The tests' software key", () => {
  it('registers with a library that nobody here wrote', async () => {
    const { key, verified, registrationInfo } = await registered()
    expect(verified).to.equal(true)
    expect(registrationInfo?.credential.id).to.equal(key.credentialId)
    expect(registrationInfo?.credentialDeviceType).to.equal('singleDevice')
  })

  it('signs what the library accepts, with a counter that grows', async () => {
    const { key, verify } = await registered()
    const options = await requestOptions()
    const first = await verify(key.sign(options), options)
    const second = await verify(key.sign(options), options)
    expect([first.verified, second.verified]).to.deep.equal([true, true])
    const [one, two] = [first, second].map(
      ({ authenticationInfo }) => authenticationInfo.newCounter,
    )
    expect([one, two]).to.deep.equal([2, 3])
  })

  it('says that it is synced, and that it knows the user, as it is told', async () => {
    const { key, verify } = await registered({ backupEligible: true })
    const options = await requestOptions()
    const answer = key.sign(options, { backedUp: true, verified: true })
    const { authenticationInfo } = await verify(answer, options)
    expect(authenticationInfo.credentialBackedUp).to.equal(true)
    expect(authenticationInfo.credentialDeviceType).to.equal('multiDevice')
    expect(authenticationInfo.userVerified).to.equal(true)
  })

  it('has a copy that signs as it does', async () => {
    const { key, verify } = await registered()
    const options = await requestOptions()
    const { verified } = await verify(key.clone().sign(options), options)
    expect(verified).to.equal(true)
  })

  it("signs nothing with another key's id", async () => {
    const { key, verify } = await registered()
    const options = await requestOptions()
    const signedBy = softwareKey({ origin: ORIGIN })
    const { verified } = await verify(key.sign(options, { signedBy }), options)
    expect(verified).to.equal(false)
  })
})

async function registered(making: { backupEligible?: boolean } = {}) {
  const key: SoftwareKey = softwareKey({ origin: ORIGIN, ...making })
  const options = await generateRegistrationOptions({
    rpName: 'Example',
    rpID: RP_ID,
    userName: 'user@example.test',
  })
  const { verified, registrationInfo } = await verifyRegistrationResponse({
    response: key.register(options),
    expectedChallenge: options.challenge,
    expectedOrigin: ORIGIN,
    expectedRPID: RP_ID,
    requireUserVerification: false,
  })
  const verify = (
    response: AuthenticationResponseJSON,
    { challenge }: PublicKeyCredentialRequestOptionsJSON,
  ) => {
    if (registrationInfo === undefined) throw new Error('nothing was registered')
    return verifyAuthenticationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: ORIGIN,
      expectedRPID: RP_ID,
      requireUserVerification: false,
      credential: { ...registrationInfo.credential, counter: 0 },
    })
  }
  return { key, verified, registrationInfo, verify }
}

function requestOptions() {
  return generateAuthenticationOptions({ rpID: RP_ID })
}
