import type { HardwareToken, TokenFault } from '../factors/hardware-token.js'

/**
 * Why a token cannot be read although its fields may be in order, or why the rest of a file cannot.
 * Neither this nor a field's fault holds anything of the file: what stands there may be a seed.
 */
export type FileFault =
  // Of a token
  | 'already-in-file'
  | 'columns'
  | 'encoding'
  | 'encryption'
  | 'encrypted-field'
  | 'expired'
  | 'key-size'
  | 'mac-missing'
  | 'mac-unknown'
  | 'mac-wrong'
  | 'no-key'
  | 'not-base64'
  | 'not-valid-yet'
  | 'not-decimal'
  | 'not-one-key'
  | 'padding'
  | 'pin'
  | 'plain-seed'
  | 'policy'
  | 'quotes'
  // Of the file from here on
  | 'cut-short'
  | 'doctype'
  | 'empty'
  | 'entity'
  | 'needs-header'
  | 'not-pskc'
  | 'no-layout'
  | 'too-large'
  | 'xml'

/** A token, or what is wrong, of a place in a file. */
export type TokenEntry =
  | {
      readonly kind: 'token'
      readonly line: number
      readonly token: HardwareToken
      /** The user that the file names, by the host's id. */
      readonly user: string | null
    }
  | { readonly kind: 'fault'; readonly line: number; readonly fault: FileFault | TokenFault }
  /** Worth a look: a signature is not checked, a column is not known. */
  | { readonly kind: 'notice'; readonly line: number; readonly notice: 'signed' | 'unknown-column' }

export function faultAt(line: number, fault: FileFault | TokenFault): TokenEntry {
  return { kind: 'fault', line, fault }
}
