import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { brotliCompressSync } from 'node:zlib'

// npm run build: the keys are a fifth of what packing leaves of a language. All but English go without: their texts
// are in its order. Brotli takes another seventh off what gzip leaves, and four fifths off what an app has on its disk.

const ENGLISH = 'en.json'

const textsOf = (file: string): Record<string, string> =>
  JSON.parse(readFileSync(`messages/${file}`, 'utf8'))
const keys = Object.keys(textsOf(ENGLISH)).join()

mkdirSync('dist/messages')
for (const file of readdirSync('messages').filter((name) => name !== ENGLISH)) {
  const texts = textsOf(file)
  if (Object.keys(texts).join() !== keys) {
    throw new Error(`messages/${file} needs the keys of ${ENGLISH}, in its order`)
  }
  const packed = brotliCompressSync(JSON.stringify(Object.values(texts)))
  writeFileSync(`dist/messages/${file.replace(/json$/, 'br')}`, packed)
}
