import { faultAt, type TokenEntry } from './entry.js'
import { tokenOfPackage } from './pskc-key.js'
import { unprotected, withEncryptionKey, withMacMethod } from './pskc-values.js'
import { xmlElements } from './xml-elements.js'

const CONTAINER = { name: 'KeyContainer', namespace: 'urn:ietf:params:xml:ns:keyprov:pskc' }

/**
 * Reads the tokens of a PSKC container (RFC 6030).
 *
 * @param key pre-shared, or null
 * @param now milliseconds: a key may have expired
 */
export async function* readPskc(
  text: AsyncIterable<string>,
  key: Uint8Array | null,
  now: number,
): AsyncGenerator<TokenEntry> {
  let protection = unprotected(key)
  for await (const element of xmlElements(text, CONTAINER)) {
    if ('fault' in element) yield faultAt(element.line, element.fault)
    else if (element.name === 'EncryptionKey') protection = withEncryptionKey(protection, element)
    else if (element.name === 'MACMethod') protection = withMacMethod(protection, element)
    else if (element.name === 'KeyPackage') yield tokenOfPackage(element, protection, now)
    else if (element.name === 'Signature')
      yield { kind: 'notice', line: element.line, notice: 'signed' }
  }
}
