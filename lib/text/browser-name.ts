const LONGEST_USER_AGENT = 256

/** A browser and the system it runs on; null where it is none that we know. */
export interface BrowserName {
  readonly browser: string | null
  readonly system: string | null
}

// In this order: most browsers also say the names of those that come after them here.
const BROWSERS: readonly (readonly [string, RegExp])[] = [
  ['Edge', /\bEdg(e|A|iOS)?\//],
  ['Opera', /\b(OPR|Opera|OPT)\//],
  ['Samsung Internet', /\bSamsungBrowser\//],
  ['Yandex Browser', /\bYaBrowser\//],
  ['Vivaldi', /\bVivaldi\//],
  ['DuckDuckGo', /\b(DuckDuckGo|Ddg)\//],
  ['Firefox', /\b(Firefox|FxiOS)\//],
  ['Chrome', /\b(Chrome|Chromium|CriOS|HeadlessChrome)\//],
  ['Safari', /\bVersion\/\S+ (Mobile\/\S+ )?Safari\//],
  ['curl', /^curl\//],
]

const SYSTEMS: readonly (readonly [string, RegExp])[] = [
  ['iPhone', /\biPhone\b/],
  ['iPad', /\biPad\b/],
  ['Android', /\bAndroid\b/],
  ['Windows', /\bWindows\b/],
  ['ChromeOS', /\bCrOS\b/],
  ['macOS', /\bMac OS X\b|\bMacintosh\b/],
  ['Linux', /\bLinux\b/],
]

/**
 * The short name of a browser, from its user agent. Only names of this file: whoever guesses a
 * user's codes writes that header, and mail programs turn words with dots into links.
 */
export function browserName(userAgent: string | null): BrowserName {
  const text = userAgent?.slice(0, LONGEST_USER_AGENT) ?? ''
  return { browser: nameIn(text, BROWSERS), system: nameIn(text, SYSTEMS) }
}

/** The same as one text, such as `Firefox (Windows)`, in every language. Null: unknown. */
export function shortBrowserName(userAgent: string | null): string | null {
  const { browser, system } = browserName(userAgent)
  return browser !== null && system !== null ? `${browser} (${system})` : (browser ?? system)
}

function nameIn(text: string, names: readonly (readonly [string, RegExp])[]): string | null {
  return names.find(([, pattern]) => pattern.test(text))?.[0] ?? null
}
