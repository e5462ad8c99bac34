import { randomBytes } from 'node:crypto'
import ejs from 'ejs'
import QRCode from 'qrcode'
import { addRoutes, type BenchApp, idOf, makeHost } from './host.js'
import type { Settings } from './settings.js'

const PAGE = ejs.compile(`<!doctype html>
<html lang="en">
<title>Set up</title>
<h1>Set up your authenticator</h1>
<%- qr %>
<p>Or type this key: <code><%= secret %></code></p>
<form method="post"><input name="code" autocomplete="one-time-code"><button>Turn on</button></form>
</html>`)

/** The app without a second step, and with a page that shows a QR code. */
export async function makeApp(settings: Settings): Promise<BenchApp> {
  const host = await makeHost(settings)
  addRoutes(host)
  host.app.get('/setup', async (req, res) => {
    if (!req.isAuthenticated()) return res.status(401).json({ status: 'not-signed-in' })
    req.session.secret ??= randomBytes(20).toString('hex').slice(0, 32).toUpperCase()
    const { secret } = req.session
    const parameters = `secret=${secret}&issuer=Bench&algorithm=SHA1&digits=6&period=30`
    const uri = `otpauth://totp/Bench:${idOf(req)}%40example.test?${parameters}`
    return res.send(PAGE({ secret, qr: await QRCode.toString(uri, { type: 'svg' }) }))
  })
  return host
}
