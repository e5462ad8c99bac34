import { check } from './check.js'

/** @throws ConfigurationError */
export function checkOrigin(origin: unknown, name: string): string {
  const right =
    typeof origin === 'string' &&
    /^https?:\/\//.test(origin) &&
    URL.canParse(origin) &&
    new URL(origin).origin === origin
  check(
    right,
    `\`${name}\` must be an origin such as https://acme.example, without a path or a slash at the ` +
      `end; it is ${JSON.stringify(origin)}`,
  )
  return origin
}
