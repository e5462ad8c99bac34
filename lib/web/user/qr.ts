// Loaded when the first code is drawn, with its many modules: most processes have long started then.
// That it is installed shows at start-up.
import.meta.resolve('qrcode')

/**
 * Draws the text as a QR code: an SVG document with a `viewBox` and no size of its own. Background
 * and quiet zone are white whatever page it is on, because readers fail on light codes on dark.
 *
 * @throws Error where the text is longer than a QR code holds
 */
export async function qrSvg(text: string): Promise<string> {
  const { default: QRCode } = await import('qrcode')
  return QRCode.toString(text, {
    type: 'svg',
    errorCorrectionLevel: 'M',
    // ISO/IEC 18004 §9.1: four modules.
    margin: 4,
    color: { dark: '#000000ff', light: '#ffffffff' },
  })
}
