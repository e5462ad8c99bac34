import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePort } from '../../test/support/redis-server.js'

/** A TCP connection to a server that can be cut, and can be held so that nothing passes. */
export class Link {
  readonly port: number
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  #to: number
  #state: 'open' | 'cut' | 'held' = 'open'

  private constructor(port: number, to: number) {
    this.port = port
    this.#to = to
    this.#server = createServer({ noDelay: true }, (near) => this.#join(near))
  }

  static async open(to: number): Promise<Link> {
    const link = new Link(await freePort(), to)
    await once(link.#server.listen(link.port, '127.0.0.1'), 'listening')
    return link
  }

  /** Where new connections go. Those that are open break. */
  leadTo(port: number): void {
    this.#to = port
    this.#break()
  }

  /** Breaks all connections, and every new one. */
  cut(): void {
    this.#state = 'cut'
    this.#break()
  }

  /** Lets nothing pass: neither side is told. */
  hold(): void {
    this.#state = 'held'
    for (const pair of this.#pairs) pair.hold()
  }

  /** Holds what a Redis replica has of its master, and nothing else. */
  holdReplicas(): void {
    for (const pair of this.#pairs) if (pair.isReplica) pair.hold()
  }

  /** As before. What was held passes, unless its connection was broken. */
  heal(): void {
    this.#state = 'open'
    for (const pair of this.#pairs) pair.pass()
  }

  /** Breaks all connections: what was held is lost. */
  drop(): void {
    this.#break()
  }

  close(): void {
    this.#server.close()
    this.#break()
  }

  #join(near: Socket): void {
    if (this.#state === 'cut') {
      near.destroy()
      return
    }
    const pair = new Pair(near, connect({ port: this.#to, host: '127.0.0.1', noDelay: true }))
    if (this.#state === 'held') pair.hold()
    this.#pairs.add(pair)
    near.once('close', () => this.#pairs.delete(pair))
  }

  #break(): void {
    for (const pair of this.#pairs) pair.end()
  }
}

/** How a replica introduces itself to its master, in one of the first things that it says. */
const OF_A_REPLICA = /REPLCONF/i
const FIRST = 4

/** The two ends of one connection. */
class Pair {
  readonly #sockets: readonly [Socket, Socket]
  #held = false
  #isReplica = false

  constructor(near: Socket, far: Socket) {
    this.#sockets = [near, far]
    let heard = 0
    const listen = (chunk: Buffer) => {
      heard += 1
      if (OF_A_REPLICA.test(chunk.toString('latin1'))) this.#isReplica = true
      if (heard === FIRST || this.#isReplica) near.off('data', listen)
    }
    near.on('data', listen)
    near.pipe(far)
    far.pipe(near)
    for (const socket of this.#sockets) {
      socket.on('error', () => this.end())
      socket.once('close', () => this.end())
    }
  }

  get isReplica(): boolean {
    return this.#isReplica
  }

  hold(): void {
    if (this.#held) return
    this.#held = true
    const [near, far] = this.#sockets
    near.unpipe(far)
    far.unpipe(near)
    near.pause()
    far.pause()
  }

  pass(): void {
    if (!this.#held) return
    this.#held = false
    const [near, far] = this.#sockets
    near.pipe(far)
    far.pipe(near)
  }

  end(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}
