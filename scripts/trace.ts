import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import whereWritten from './where-written.cjs'

const PUBLISHED = /(?:file:\/\/)?[^\s()]*\/passport-second-step\/dist\//g

/** A stack of the published JavaScript, with the places in lib/ of the version that dist/ was built from. */
export function traced(stack: string): string {
  return whereWritten(stack.replace(PUBLISHED, `${resolve('dist')}/`))
}

// npm run trace < FILE
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(traced(readFileSync(0, 'utf8')))
}
