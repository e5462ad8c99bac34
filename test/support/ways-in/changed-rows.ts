/**
 * The rows that differ between two files of tables, under the headings that they have there: what was agreed to
 * after `-`, what was measured after `+`. How wide a column is makes no difference.
 */
export function changedRows(agreed: string, measured: string): readonly string[] {
  const [before, after] = [sectionsOf(agreed), sectionsOf(measured)]
  const headings = new Set([...before.keys(), ...after.keys()])
  return [...headings].flatMap((heading) => {
    const [gone, come] = [before.get(heading) ?? [], after.get(heading) ?? []]
    const rows = [
      ...gone.filter((row) => !come.includes(row)).map((row) => `- ${row}`),
      ...come.filter((row) => !gone.includes(row)).map((row) => `+ ${row}`),
    ]
    if (rows.length > 0) return [heading, ...rows]
    return gone.join() === come.join() ? [] : [heading, '  the same rows in another order']
  })
}

function sectionsOf(text: string): ReadonlyMap<string, readonly string[]> {
  const sections = new Map<string, string[]>()
  let heading = ''
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) heading = line
    const rows = sections.get(heading) ?? []
    sections.set(heading, rows)
    // The rule below the head has the columns' widths alone.
    if (line !== '' && !/^[| -]+$/.test(line)) rows.push(line.replaceAll(/ +/g, ' '))
  }
  return sections
}
