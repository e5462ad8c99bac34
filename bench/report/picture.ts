import type { Spread } from '../measure/statistics.js'
import type { Figure } from './figure.js'

const WIDTH = 760
const LABEL = 300
const BAR = 18
const GAP = 6
const HEAD = 34

/** The figures that have bars, as an SVG that is readable on light and dark pages. */
export function pictureOf(figures: readonly Figure[]): string {
  let top = 8
  const groups = figures.flatMap(({ bars }) => {
    if (bars === undefined) return []
    const drawn = group(bars.title, bars.of, top)
    top += HEAD + bars.of.length * (BAR + GAP) + 14
    return [drawn]
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" role="img" aria-label="Requests a second beside other second steps">
<style>
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .inside { fill: #fff }
  .title { font-weight: 600 }
  .bar { fill: #6e7781 }
  .ours { fill: #0969da }
  .one { stroke: #57606a; stroke-dasharray: 3 3 }
  @media (prefers-color-scheme: dark) {
    text:not(.inside) { fill: #e6edf3 }
    .bar { fill: #6e7681 }
    .ours { fill: #4493f8 }
    .one { stroke: #8b949e }
  }
</style>
${groups.join('\n')}
</svg>
`
}

function group(title: string, of: readonly (readonly [string, Spread])[], top: number): string {
  const most = Math.max(1, ...of.map(([, { median }]) => median))
  const scale = (WIDTH - LABEL - 16) / most
  const bars = of.map(([name, { median }], nth) => {
    const y = top + HEAD + nth * (BAR + GAP)
    const width = (median * scale).toFixed(1)
    const kind = name.startsWith('ours') ? 'bar ours' : 'bar'
    const shown = name.replace(/^ours/, 'passport-second-step')
    // Inside of its bar, or behind one that is too short.
    const isShort = median * scale < 50
    const [x, inside] = isShort ? [6, ''] : [-6, ' class="inside" text-anchor="end"']
    return `<text x="${LABEL - 8}" y="${y + 14}" text-anchor="end">${shown}</text>
<rect class="${kind}" x="${LABEL}" y="${y}" width="${width}" height="${BAR}" rx="2"/>
<text${inside} x="${(LABEL + median * scale + x).toFixed(1)}" y="${y + 14}">${median.toFixed(2)}</text>`
  })
  const x = (LABEL + scale).toFixed(1)
  const [from, to] = [top + HEAD - 4, top + HEAD + of.length * (BAR + GAP)]
  return `<text class="title" x="8" y="${top + 18}">${title}</text>
<line class="one" x1="${x}" x2="${x}" y1="${from}" y2="${to}"/>
${bars.join('\n')}`
}
