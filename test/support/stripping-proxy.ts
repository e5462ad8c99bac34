import { once } from 'node:events'
import { createServer, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'

/** A proxy that listens, and the app behind it. */
export interface StrippingProxy {
  /** The origin that browsers see. */
  readonly url: string
  /** Puts the app behind the proxy. Its origin may depend on `url`. */
  serve(app: Express): Promise<void>
  stop(): Promise<void>
}

/**
 * A proxy that takes a prefix off the path, as nginx does with
 * `location /app/ { proxy_pass http://127.0.0.1:3000/; }`. Outside the prefix there is nothing.
 *
 * @param rewrite what else it does to the path
 */
export async function strippingProxy(
  prefix: string,
  rewrite = (path: string) => path,
): Promise<StrippingProxy> {
  let behind = 0
  const proxy = createServer((req, res) => {
    const { method = 'GET', url: asked = '/', headers } = req
    const url = rewrite(asked)
    if (!url.startsWith(`${prefix}/`)) return nothing(res)
    const path = url.slice(prefix.length)
    const passed = request({ host: '127.0.0.1', port: behind, method, path, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(res)
    })
    passed.on('error', () => res.destroy())
    req.pipe(passed)
  })
  const servers = [proxy]
  return {
    url: `http://127.0.0.1:${await portOf(proxy)}`,
    async serve(app) {
      const server = createServer(app)
      servers.push(server)
      behind = await portOf(server)
    },
    async stop() {
      for (const server of servers) {
        server.close()
        server.closeAllConnections()
      }
    },
  }
}

/** What nginx does to a path before it passes on a part of it: `%2F` becomes `/`, and `..` goes up. */
export function decodedAsByNginx(url: string): string {
  const [path = '', ...query] = url.split('?')
  const segments: string[] = []
  const parts = decodeURIComponent(path)
    .replace(/\/{2,}/g, '/')
    .split('/')
  for (const part of parts) {
    if (part === '..') segments.pop()
    else if (part !== '.') segments.push(encodeURIComponent(part))
  }
  return [segments.join('/'), ...query].join('?')
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

function nothing(res: ServerResponse): void {
  res.writeHead(404, { 'content-type': 'text/plain' }).end('there is no app here')
}
