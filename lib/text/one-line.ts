/** Whatever the host's texts and names hold: a header is one line, and so is a fact in a plain mail. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()
}
