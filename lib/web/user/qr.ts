// Loaded when the first code is drawn, with its many modules: most processes have long started then.
// That it is installed shows at start-up.
import.meta.resolve('qrcode')

interface Drawing {
  readonly default: typeof import('qrcode')
}

/** Kept, because each `import()` resolves the name anew: it took a quarter of the time of a code. */
let drawing: Drawing | undefined

/**
 * Draws the text as a QR code: an SVG document with a `viewBox` and no size of its own. Background
 * and quiet zone are white whatever page it is on, because readers fail on light codes on dark.
 *
 * @throws Error where the text is longer than a QR code holds
 */
export async function qrSvg(text: string): Promise<string> {
  drawing ??= await import('qrcode')
  return drawing.default.toString(segmentsOf(text), {
    type: 'svg',
    errorCorrectionLevel: 'M',
    // ISO/IEC 18004 §9.1: four modules.
    margin: 4,
    color: { dark: '#000000ff', light: '#ffffffff' },
  })
}

/**
 * The key apart from what is around it, as it takes less room on its own: five bits and a half for each
 * character instead of eight. The library finds the same pieces by a search through all there could be.
 */
function segmentsOf(text: string): { data: string }[] {
  const pieces = text.split(/(?<=[?&]secret=)([A-Z2-7]+)/)
  return pieces.filter((data) => data !== '').map((data) => ({ data }))
}
