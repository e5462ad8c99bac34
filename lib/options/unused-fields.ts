import type { Described } from './options.js'

/** Fields that no lock depends on, so that a user with a wrong one is let in without it. */
const SHAPES = {
  name: 'a text: describe: (user) => ({ id: user.id, email: user.email, name: user.displayName })',
  locale:
    "a tag such as 'it': describe: (user) => ({ id: user.id, email: user.email, locale: user.language })",
  createdAt:
    'a Date, milliseconds or an ISO 8601 text: describe: (user) => ({ id: user.id, email: user.email, createdAt: new Date(user.created) })',
} as const

type Field = keyof typeof SHAPES

/**
 * Warns once of each field that a user has and that can't be read: it would be left out, and nobody would notice.
 * The value is not in the warning.
 *
 * @returns takes what a user has, and what was read of it
 */
export function unusedFields(): (
  told: Described,
  read: Readonly<Record<Field, string | number | null>>,
) => void {
  const warned = new Set<Field>()
  return (told, read) => {
    for (const field of ['name', 'locale', 'createdAt'] as const) {
      if (read[field] !== null || isEmpty(told[field]) || warned.has(field)) continue
      warned.add(field)
      process.emitWarning(
        `passport-second-step: a user has a \`${field}\` that can't be read, and is without one. Give ${SHAPES[field]}, say`,
      )
    }
  }
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '')
}
