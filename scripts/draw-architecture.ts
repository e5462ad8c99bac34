import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { files, importsOf, MAY_IMPORT, nameOf, rowOf, sourceOf } from '../test/support/layers.js'

/** Draws the folders of lib/ and what they import. `npm run draw` writes it to docs/images. */

const BOX = { width: 128, height: 40, gap: 28, between: 56 }
const MARGIN = 24
export const DRAWING = new URL('../docs/images/architecture.svg', import.meta.url)

type Graph = ReadonlyMap<string, ReadonlySet<string>>

function importsOfRows(): Graph {
  const rows = Object.keys(MAY_IMPORT)
  const graph = new Map(rows.map((row) => [row, new Set<string>()]))
  for (const file of files) {
    const from = rowOf(nameOf(file))
    for (const imported of importsOf(file, sourceOf(file))) {
      const to = rowOf(imported)
      if (to !== from && graph.has(to)) graph.get(from)?.add(to)
    }
  }
  return graph
}

/** Rows that import each other stand side by side, so their imports give no order. */
function ordered(graph: Graph): Graph {
  return new Map(
    [...graph].map(([row, to]) => [
      row,
      new Set([...to].filter((other) => !graph.get(other)?.has(row))),
    ]),
  )
}

function reaches(graph: Graph, from: string, to: string): boolean {
  return [...(graph.get(from) ?? [])].some((next) => next === to || reaches(graph, next, to))
}

/** An import that others imply is not drawn: whoever may import web/login reaches domain too. */
function drawn(graph: Graph): readonly (readonly [string, string])[] {
  return [...graph].flatMap(([from, to]) =>
    [...to]
      .filter((one) => ![...to].some((other) => other !== one && reaches(graph, other, one)))
      .sort()
      .map((one) => [from, one] as const),
  )
}

/** How many rows stand below this one, one on another. */
function levelOf(graph: Graph, row: string): number {
  const below = [...(graph.get(row) ?? [])].map((other) => levelOf(graph, other) + 1)
  return Math.max(0, ...below)
}

export function drawing(): string {
  const graph = ordered(importsOfRows())
  const levels: string[][] = []
  for (const row of [...graph.keys()].sort()) {
    const level = levelOf(graph, row)
    levels[level] = [...(levels[level] ?? []), row]
  }
  const widest = Math.max(...levels.map(({ length }) => length))
  const width = widest * (BOX.width + BOX.gap) - BOX.gap + 2 * MARGIN
  const step = BOX.height + BOX.between
  const height = levels.length * step - BOX.between + 2 * MARGIN
  const places = new Map(
    levels.flatMap((rows, level) =>
      rows.map((row, index) => {
        const x = width / 2 + (index - (rows.length - 1) / 2) * (BOX.width + BOX.gap)
        return [row, { x, y: MARGIN + (levels.length - 1 - level) * step }] as const
      }),
    ),
  )
  const at = (row: string) => places.get(row) ?? { x: 0, y: 0 }
  const lines = drawn(graph).map(([from, to]) => {
    const [a, b] = [at(from), at(to)]
    const [top, end] = [a.y + BOX.height, b.y - 6]
    return `<path d="M${a.x} ${top}C${a.x} ${top + 40} ${b.x} ${end - 40} ${b.x} ${end}"/>`
  })
  const boxes = [...places].map(([row, { x, y }]) => {
    const box = `<rect x="${x - BOX.width / 2}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="6"/>`
    return `${box}<text x="${x}" y="${y + 25}">${row}</text>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">`,
    '<title>The folders of lib/: an arrow goes from a folder to one that it imports</title>',
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#57606a"/></marker></defs>',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    '<g fill="none" stroke="#8c959f" stroke-width="1.5">',
    ...lines.map((line) => line.replace('/>', ' marker-end="url(#tip)"/>')),
    '</g>',
    '<g fill="#f6f8fa" stroke="#57606a" font-family="sans-serif" font-size="14" text-anchor="middle">',
    ...boxes.map((box) => box.replace('<text', '<text fill="#1f2328" stroke="none"')),
    '</g>',
    '</svg>',
    '',
  ].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(DRAWING, drawing())
