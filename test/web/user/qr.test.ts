import { expect } from 'chai'
import QRCode from 'qrcode'
import { qrSvg } from '../../../lib/web/user/qr.js'

const URI =
  'otpauth://totp/Acme%20Bank:anna%40example.test?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP' +
  '&issuer=Acme%20Bank&algorithm=SHA1&digits=6&period=30'

const QUIET_ZONE = 4

/** The dark modules that the picture draws, as `x,y`. */
function drawn(svg: string): Set<string> {
  const path = /stroke="#000000" d="([^"]*)"/.exec(svg)?.[1] ?? ''
  const dark = new Set<string>()
  let [x, y] = [0, 0]
  for (const [, command, a, b] of path.matchAll(/([Mmh])(-?[\d.]+)(?: (-?[\d.]+))?/g)) {
    if (command === 'M') [x, y] = [Number(a), Math.floor(Number(b))]
    if (command === 'm') [x, y] = [x + Number(a), y + Number(b)]
    if (command !== 'h') continue
    for (let step = 0; step < Number(a); step++) dark.add(`${x + step},${y}`)
    x += Number(a)
  }
  return dark
}

describe('the QR code', () => {
  it('draws every module of the text at error correction M, inside a quiet zone', async () => {
    const { modules } = QRCode.create(URI, { errorCorrectionLevel: 'M' })
    const expected = new Set<string>()
    for (let y = 0; y < modules.size; y++) {
      for (let x = 0; x < modules.size; x++) {
        if (modules.get(y, x)) expected.add(`${x + QUIET_ZONE},${y + QUIET_ZONE}`)
      }
    }
    expect(drawn(await qrSvg(URI))).to.deep.equal(expected)
  })

  it('has a white background that covers the quiet zone too, whatever page it is on', async () => {
    const svg = await qrSvg(URI)
    const size = QRCode.create(URI, { errorCorrectionLevel: 'M' }).modules.size + 2 * QUIET_ZONE
    expect(svg).to.contain(`viewBox="0 0 ${size} ${size}"`)
    expect(svg).to.contain(`<path fill="#ffffff" d="M0 0h${size}v${size}H0z"/>`)
  })

  it('is one SVG element that a strict policy allows: no style, no script, no text', async () => {
    const svg = await qrSvg('<script>alert(1)</script>')
    expect(svg.trim()).to.match(/^<svg [^>]*>.*<\/svg>$/s)
    expect(svg).not.to.match(/style|script|on\w+=/i)
  })

  it('refuses a text that no QR code holds', async () => {
    const refusal = await qrSvg('x'.repeat(3000)).catch((error: unknown) => error)
    expect(refusal).to.be.an('error')
  })
})
