const LONGEST = 254
// One address: nothing that a header or a list of addresses is made of (GitLab CVE-2023-7028).
const ONE_ADDRESS = /^[^\s\p{C}@,;:<>()[\]\\"]{1,64}@[^\s\p{C}@,;:<>()[\]\\"]{1,255}$/u
const LINE_BREAK = /[\p{C}\p{Zl}\p{Zp}]/u

/** Whether a text is one e-mail address that a mail may be sent to. */
export function isOneAddress(text: string): boolean {
  return ONE_ADDRESS.test(text)
}

/**
 * An e-mail address in the one form in which addresses are compared, or null for what is none. What
 * phones add at either end is forgiven; a line break is not.
 */
export function readAddress(text: string | undefined): string | null {
  if (text === undefined || LINE_BREAK.test(text)) return null
  const address = text.normalize('NFKC').trim().toLowerCase()
  return address.length <= LONGEST && isOneAddress(address) ? address : null
}
