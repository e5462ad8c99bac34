/** More than any reader decodes. What is still escaped then is not plain. */
const DECODINGS = 4

/** Escapes that some decoders take for ASCII, against the norm: overlong UTF-8, and `%u002e` of IIS. */
const ODD_ESCAPE = /%(?:c[01]|e0%[89]|f0%8|u)/i

/**
 * A segment of dots alone, as some reader may see it: without blanks and controls around the dots, and
 * without what follows a semicolon, a query's beginning or a NUL.
 */
const DOT_SEGMENT = /[/\\][\s\p{Cc}]*\.[.\s\p{Cc}]*(?:[/\\;?#\p{Cc}]|$)/u

/**
 * Whether everybody takes a path for the same one. Express compares it as it was sent, and so does the guard. But what
 * answers behind it may resolve dots, escapes and backslashes first, as express.static and proxies do:
 * `/login/..%2freport.html` lies below /login here, and is a page of its own there.
 */
export function isPlain(path: string): boolean {
  let read = path
  for (let time = 0; time <= DECODINGS; time += 1) {
    if (ODD_ESCAPE.test(read) || DOT_SEGMENT.test(read)) return false
    const decoded = decodedOnce(read)
    if (decoded === read) return true
    read = decoded
  }
  return false
}

/** The path without escapes of ASCII, also those that were escaped again. */
export function decodedPath(path: string): string {
  let read = path
  for (let time = 0; time < DECODINGS; time += 1) read = decodedOnce(read)
  return read
}

/** A broken escape beside them stays, where `decodeURIComponent` throws. */
function decodedOnce(path: string): string {
  return path.replace(/%[0-7][\da-f]/gi, (escaped) =>
    String.fromCharCode(Number.parseInt(escaped.slice(1), 16)),
  )
}
