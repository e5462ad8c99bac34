import { requireMembers } from './byte-parts.js'
import { type ByteReader, BytesError, type ByteWriter } from './bytes.js'
import type { TrustedBrowser } from './trusted-browsers.js'

export function writeTrustedBrowser(writer: ByteWriter, browser: TrustedBrowser): void {
  requireMembers(browser, 9)
  const { previous, name } = browser
  writer.count(Number(previous !== null) + 2 * Number(name !== null))
  writer.string(browser.id)
  writer.repeated(browser.keyId)
  writer.string(browser.digest)
  if (previous !== null) writer.string(previous)
  for (const at of [browser.createdAt, browser.expiresAt, browser.rotatedAt]) writer.time(at)
  writer.count(browser.policyVersion)
  if (name !== null) writer.string(name)
}

export function readTrustedBrowser(reader: ByteReader): TrustedBrowser {
  const flags = reader.count()
  const id = reader.string()
  const keyId = reader.repeated()
  if (keyId === null || flags > 3) throw new BytesError('no trusted browser')
  const digest = reader.string()
  const previous = flags & 1 ? reader.string() : null
  const [createdAt, expiresAt, rotatedAt] = [reader.time(), reader.time(), reader.time()]
  const policyVersion = reader.count()
  const name = flags & 2 ? reader.string() : null
  return { id, keyId, digest, previous, rotatedAt, createdAt, expiresAt, policyVersion, name }
}
