import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { withCosts } from './costs.js'
import type { Figure } from './figure.js'
import { machine } from './machine.js'
import { pictureOf } from './picture.js'
import { tableOf } from './table.js'

/** Writes RESULTS.md and the picture beside it, and the table of the README. */
export function writeResults(figures: readonly Figure[], redisVersion: string, date: Date): void {
  const text = `# What the second step costs

Made by \`npm run bench\` on ${date.toISOString().slice(0, 10)}. Every app runs in a process of its own, and all are
measured in turn in one run. Ratios are medians over the rounds of that run, with the quartiles in brackets; "control" is the same app
measured twice, so that it should have 1.00.

${machine(redisVersion)
  .map((line) => `- ${line}`)
  .join('\n')}

![Requests a second beside other second steps](results.svg)

${tableOf(figures)}
`
  writeFileSync(fileURLToPath(new URL('../RESULTS.md', import.meta.url)), text)
  writeFileSync(fileURLToPath(new URL('../results.svg', import.meta.url)), pictureOf(figures))
  const readme = fileURLToPath(new URL('../../README.md', import.meta.url))
  writeFileSync(readme, withCosts(readFileSync(readme, 'utf8'), figures))
}
