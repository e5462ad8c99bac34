import { ConfigurationError } from '../errors/configuration-error.js'

/**
 * Checks which languages the package has brought along: a bundler or a Dockerfile may have left its files out.
 *
 * @param names of its files, without their ending
 * @throws ConfigurationError where English is missing, or a name is no tag
 */
export function checkLanguages(names: readonly string[]): void {
  if (!names.includes('en')) {
    throw new ConfigurationError(
      'the texts are missing: the package has no messages/en.json. Leave it in node_modules, whole: a bundler takes its code alone',
    )
  }
  for (const name of names) {
    if (isTag(name)) continue
    throw new ConfigurationError(
      `messages/${name} is no file of a language: name it by its tag, such as de.json`,
    )
  }
  if (names.length > 1) return
  process.emitWarning(
    'passport-second-step: English is the only language: the package has lost its folder dist/messages. Leave it in node_modules, whole',
  )
}

/** Warns of texts in a language that nobody asks for: `jp` is no Japanese. */
export function warnOfUnknownLanguage(tag: string): void {
  // Node makes an empty text of `und`, for undetermined.
  const language = new Intl.Locale(tag).language || 'und'
  // ISO 639-2: for private use.
  if (/^q[a-t][a-z]$/.test(language)) return
  const names = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' })
  if (language !== 'und' && names.of(language) !== undefined) return
  process.emitWarning(
    `passport-second-step: \`messages.${tag}\`: there is no language "${language}", so nobody is shown these texts: give a ` +
      'BCP 47 tag, such as de, ja or zh-Hans',
  )
}

function isTag(name: string): boolean {
  try {
    return new Intl.Locale(name).language !== ''
  } catch {
    return false
  }
}
