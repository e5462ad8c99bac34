const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The ways to write a secret down that a search must find, each under its name. */
export function writings(secret: Buffer): ReadonlyMap<string, Buffer> {
  const texts: readonly (readonly [string, string])[] = [
    ['hex', secret.toString('hex')],
    ['HEX', secret.toString('hex').toUpperCase()],
    ['base32', base32Of(secret)],
    ['base32 in lower case', base32Of(secret).toLowerCase()],
    ...[0, 1, 2].map((offset) => [`base64 at ${offset}`, base64Within(secret, offset)] as const),
    ...[0, 1, 2].map(
      (offset) => [`base64url at ${offset}`, urlSafe(base64Within(secret, offset))] as const,
    ),
  ]
  const raw = ['raw', secret] as const
  const lower = [
    'lower case',
    Buffer.from(secret.toString('latin1').toLowerCase(), 'latin1'),
  ] as const
  return new Map([raw, lower, ...texts.map(([name, text]) => [name, Buffer.from(text)] as const)])
}

/** The names of the writings in which a secret is somewhere in the data. */
export function shapesFound(data: Buffer, secret: Buffer): readonly string[] {
  return [...writings(secret)].flatMap(([name, written]) => (data.includes(written) ? [name] : []))
}

export function bytesOfBase32(text: string): Buffer {
  const bits = [...text].map((one) => BASE32.indexOf(one).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}

function base32Of(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const groups = bits.match(/.{1,5}/g) ?? []
  return groups.map((group) => BASE32[Number.parseInt(group.padEnd(5, '0'), 2)]).join('')
}

/** The characters of base64 that the secret alone decides where other bytes are around it. */
function base64Within(secret: Buffer, offset: number): string {
  const written = Buffer.concat([Buffer.alloc(offset), secret]).toString('base64')
  return written.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + secret.length) * 8) / 6))
}

function urlSafe(base64: string): string {
  return base64.replaceAll('+', '-').replaceAll('/', '_')
}
