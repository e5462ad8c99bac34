import type { TokenFault } from '../factors/hardware-token.js'
import type { FileFault } from '../tokens/entry.js'

const FIELDS: Readonly<Record<TokenFault['field'], string>> = {
  serial: 'serial number',
  type: 'type',
  secret: 'seed',
  algorithm: 'algorithm',
  digits: 'number of digits',
  period: 'time step',
  counter: 'counter',
}

const MUST_BE: Readonly<Record<TokenFault['field'], string>> = {
  serial: 'must be printable ASCII characters',
  type: 'must be TOTP or HOTP',
  secret: 'must be base32 or hex',
  algorithm: 'must be SHA-1, SHA-256 or SHA-512',
  digits: 'must be 6 or 8',
  period: 'must be 30 or 60 seconds',
  counter: 'must be a whole number from 0 to 2^52',
}

const FAULTS: Readonly<Record<FileFault, string>> = {
  'already-in-file': 'the file has this serial number already',
  columns: 'the line has more or fewer cells than there are columns',
  encoding: 'the line is not UTF-8: save the file as UTF-8',
  encryption:
    'the encryption is not supported: AES-128 or AES-256 in CBC mode with a pre-shared key is',
  'encrypted-field': 'a counter or time step is encrypted, which is not supported',
  expired: 'the key has expired',
  'key-size': 'the key of --key-file is too long or too short for the encryption of the file',
  'mac-missing': 'the MAC of the encrypted seed is missing',
  'mac-unknown':
    'the MAC algorithm is not supported: HMAC with SHA-1, SHA-256, SHA-384 or SHA-512 is',
  'mac-wrong': 'the MAC is wrong: the file was changed, or the key of --key-file is another',
  'no-key': 'the seed is encrypted: give --key-file FILE',
  'not-base64': 'the seed or its MAC is not base64',
  'not-valid-yet': 'the key is not valid yet',
  'not-decimal': 'the codes are not decimal, or have a check digit',
  'not-one-key': 'the key package does not have exactly one key',
  padding:
    'the seed cannot be decrypted: the file was changed, or the key of --key-file is another',
  pin: 'a PIN is part of the codes, which is not supported',
  'plain-seed': 'the seed is not encrypted, although the file says so or --key-file is given',
  policy: 'the key is not for one-time passwords, or has a policy that is not supported',
  quotes: 'a quote is not closed, or stands beside other text',
  'cut-short':
    'the file ends in the middle of the token. If it does not, end its last line with a line break',
  doctype: 'the file has a document type (DTD), which is refused. Nothing from here on was read',
  empty: 'the file has no token',
  entity:
    'the file has an unknown entity; an ampersand alone is written &amp;. Nothing from here on was read',
  'needs-header':
    'the fifth cell of a HOTP token could be a time step or a counter: name the columns in a first line',
  'not-pskc': 'the file is XML, but no PSKC container (RFC 6030)',
  'no-layout':
    'the columns are not known. Name them in a first line, such as "serial,secret,type,digits,period,algorithm,counter,user"',
  'too-large': 'the line or element is too large for a token',
  xml: 'the file is not well-formed XML from here on',
}

/** What is wrong, as a sentence without its end. It never holds anything of the file. */
export function faultText(fault: FileFault | TokenFault): string {
  if (typeof fault === 'string') return FAULTS[fault]
  const { field, why } = fault
  if (why === 'missing') return `the ${FIELDS[field]} is missing`
  if (why === 'malformed') return `the ${FIELDS[field]} ${MUST_BE[field]}`
  const bound = BOUNDS[why][field]
  return `the ${FIELDS[field]} is ${why === 'too-short' ? 'too short' : 'too long'}${bound ?? ''}`
}

const BOUNDS: Readonly<
  Record<'too-short' | 'too-long', Partial<Record<TokenFault['field'], string>>>
> = {
  'too-short': { secret: ': it must have at least 112 bits' },
  'too-long': { secret: ': it has at most 1,024 bits', serial: ': it has at most 64 characters' },
}
