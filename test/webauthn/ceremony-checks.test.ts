// The attack: an answer whose attestation names a list of revoked certificates makes the server call an
// address of the visitor's choice.

import { isoCBOR } from '@simplewebauthn/server/helpers'
import { expect } from 'chai'
import type { Expected } from '../../lib/factors/ceremony.js'
import { readCredential } from '../../lib/factors/webauthn/read.js'
import { ceremonyChecks } from '../../lib/webauthn/ceremony-checks.js'
import { softwareKey } from '../support/software-key.js'

const ORIGIN = 'https://acme.example'
const EXPECTED: Expected = {
  rpId: 'acme.example',
  origins: [ORIGIN],
  challenge: 'AAAA',
  userVerification: 'discouraged',
}
const OPTIONS = {
  challenge: EXPECTED.challenge,
  rp: { id: EXPECTED.rpId, name: 'Acme' },
  user: { id: 'AAAA', name: 'ann', displayName: 'Ann' },
  pubKeyCredParams: [],
}

function registrationIn(credential: unknown) {
  const given = readCredential({ credential })
  if (given?.kind !== 'registration') throw new Error('no registration')
  return given
}

/** The same answer with the statement of a maker, which can't be verified. */
function attestedBy(format: string) {
  const credential = softwareKey({ origin: ORIGIN }).register(OPTIONS)
  const bytes = Uint8Array.from(Buffer.from(credential.response.attestationObject, 'base64url'))
  const object = isoCBOR.decodeFirst<Map<string, unknown>>(bytes)
  object.set('fmt', format)
  object.set('attStmt', new Map([['sig', 'none']]))
  const attestationObject = Buffer.from(isoCBOR.encode(object as never)).toString('base64url')
  return { ...credential, response: { ...credential.response, attestationObject } }
}

describe('what a new key answers', () => {
  const checks = ceremonyChecks()

  for (const format of ['packed', 'fido-u2f', 'tpm', 'android-key', 'apple', 'never heard of']) {
    it(`is taken without a look at what its maker says: ${format}`, async () => {
      const given = registrationIn(attestedBy(format))
      const key = await checks.registration(given, EXPECTED)
      expect(key).to.include({ credentialId: given.id, backedUp: false })
    })
  }

  it('is wrong, and no failure, whatever is in it', async () => {
    const given = registrationIn(softwareKey({ origin: ORIGIN }).register(OPTIONS))
    for (const attestationObject of ['AAAA', 'oA', '_w', given.attestationObject.slice(0, 100)]) {
      expect(await checks.registration({ ...given, attestationObject }, EXPECTED)).to.equal(null)
    }
  })

  it('fits into a body, also with a long id, as text in a form', () => {
    const credential = softwareKey({ origin: ORIGIN }).register(OPTIONS, {
      credentialId: Buffer.alloc(400, 1).toString('base64url'),
    })
    const { clientDataJSON, attestationObject } = credential.response
    // A browser repeats both parts of the attestation.
    const response = {
      ...credential.response,
      authenticatorData: attestationObject,
      publicKey: clientDataJSON,
    }
    const form = new URLSearchParams({
      name: 'Key',
      credential: JSON.stringify({ ...credential, response }),
    })
    expect(form.toString().length).to.be.below(4096)
  })
})
