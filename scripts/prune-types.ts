import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

// npm run build: the compiler writes types for every file. A host's compiler reads those that the
// entries lead to; the others would only make the package larger.

const ENTRIES = ['dist/index.d.ts', 'dist/testing/index.d.ts']
const NAMED = /(?:from|import|import\()\s*['"](\.[^'"]+)\.js['"]/g

const reached = new Set<string>()
const waiting = ENTRIES.map((entry) => resolve(entry))
for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
  if (reached.has(file)) continue
  reached.add(file)
  for (const [, named = ''] of readFileSync(file, 'utf8').matchAll(NAMED)) {
    waiting.push(resolve(dirname(file), `${named}.d.ts`))
  }
}
prune(resolve('dist'))

function prune(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) prune(path)
    else if (path.endsWith('.d.ts') && !reached.has(path)) rmSync(path)
  }
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder)
}
