import { check } from './check.js'

/** @throws ConfigurationError */
export function checkOrigin(origin: unknown, name: string): string {
  const right =
    typeof origin === 'string' &&
    /^https?:\/\//.test(origin) &&
    URL.canParse(origin) &&
    new URL(origin).origin === origin &&
    // A wildcard: `*` parses as a part of a host name, and no browser ever sends it.
    !origin.includes('*')
  check(
    right,
    `\`${name}\` must be an origin such as https://acme.example, without a path, a wildcard or a slash ` +
      `at the end; it is ${JSON.stringify(origin)}`,
  )
  return origin
}
