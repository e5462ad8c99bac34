import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to a server on 127.0.0.1, which a test can lead elsewhere or make lose everything. */
export interface TcpLink {
  readonly port: number
  /** Connections from now on go there. */
  leadTo(port: number): void
  /** Connections stay open, and nothing passes any more: what is held by neither end is gone. */
  lose(): void
  stop(): void
}

export async function tcpLink(to: number): Promise<TcpLink> {
  const sockets = new Set<Socket>()
  let [target, loses] = [to, false]
  const pass = (from: Socket, into: Socket) => {
    sockets.add(from)
    from.on('data', (chunk) => {
      if (!loses) into.write(chunk)
    })
    from.on('error', () => undefined)
    from.on('close', () => {
      sockets.delete(from)
      into.destroy()
    })
  }
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: target, host: '127.0.0.1', noDelay: true })
    pass(near, far)
    pass(far, near)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    leadTo(port) {
      target = port
    },
    lose() {
      loses = true
    },
    stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
