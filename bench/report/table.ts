import { type Figure, goalOf, shownValue, verdictOf } from './figure.js'

/** The figures as a Markdown table: medians, with the quartiles in brackets. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.what,
    shownValue(figure.value, figure.unit),
    goalOf(figure),
    verdictOf(figure),
    [
      ...(figure.beside ?? []).map(([name, value]) => `${name} ${shownValue(value, figure.unit)}`),
      ...(figure.value === null ? [figure.note ?? ''] : []),
    ].join('; '),
  ])
  const head = ['what', 'measured', 'goal', '', 'beside it in the same run']
  const lines = [head, head.map(() => '---'), ...rows]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** The same for a terminal. */
export function linesOf(figures: readonly Figure[]): string {
  return figures
    .map((figure) => {
      const { what, value, unit, beside = [], note } = figure
      const first = [what.padEnd(62), shownValue(value, unit).padEnd(24), goalOf(figure).padEnd(11)]
      const others = beside.map(([name, other]) => `      ${name} ${shownValue(other, unit)}`)
      const more = note === undefined ? [] : [`      ${note}`]
      return [`${first.join(' ')} ${verdictOf(figure)}`, ...others, ...more].join('\n')
    })
    .join('\n')
}
