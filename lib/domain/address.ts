const LONGEST = 254
/** Before it is normalised, which takes time that grows with the square of the length. */
const LONGEST_TYPED = 1000
// One address: nothing that a header or a list of addresses is made of (GitLab CVE-2023-7028).
const ONE_ADDRESS = /^[^\s\p{C}@,;:<>()[\]\\"]{1,64}@[^\s\p{C}@,;:<>()[\]\\"]{1,255}$/u
const ASCII = /^[\x21-\x7e]+$/
const LINE_BREAK = /[\p{C}\p{Zl}\p{Zp}]/u

/** Whether a text is one e-mail address that a mail may be sent to. */
export function isOneAddress(text: string): boolean {
  return ONE_ADDRESS.test(text)
}

/**
 * An e-mail address in canonical form, for comparison, or null if it is not an address. Trims the
 * blanks that phones add at either end, but refuses a line break.
 */
export function readAddress(text: string | undefined): string | null {
  if (text === undefined || text.length > LONGEST_TYPED || LINE_BREAK.test(text)) return null
  const address = text.normalize('NFKC').trim().toLowerCase()
  if (address.length > LONGEST || !isOneAddress(address)) return null
  const ascii = withAsciiDomain(address)
  return ascii !== null && ascii.length <= LONGEST ? ascii : null
}

/** As browsers send it from a field of type `email`; null for letters that no domain has. */
function withAsciiDomain(address: string): string | null {
  const at = address.lastIndexOf('@')
  const domain = address.slice(at + 1)
  if (ASCII.test(domain)) return address
  const url = `http://${domain}`
  // In a URL, these characters end the domain.
  if (/[/?#%]/.test(domain) || !URL.canParse(url)) return null
  return `${address.slice(0, at)}@${new URL(url).hostname}`
}
