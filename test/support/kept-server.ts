import { Agent, Server } from 'node:http'
import type { Express } from 'express'

const servers = new WeakMap<Express, KeptServer>()
const open = new Set<KeptServer>()

// Some tests have a host in a process of its own, where no Mocha is.
if (typeof afterEach === 'function') {
  afterEach(endAll)
  // What was opened by a hook that ends a suite.
  after(endAll)
}

function endAll(): void {
  for (const server of open) server.end()
}

/** The server of an app. Who makes a request opens it, and the end of the test closes it. */
export function keptServerOf(app: Express): KeptServer {
  const server = servers.get(app) ?? new KeptServer(app)
  servers.set(app, server)
  return server
}

/**
 * A server that supertest opens for a request and closes after it, as it does for each: to open one
 * and to connect to it takes a good part of the time of a test. It is kept until the test ends, with
 * the connections to it, and opens again where a later test goes on with the app.
 */
export class KeptServer extends Server {
  /** Lets go of idle connections before the server does, after five seconds. */
  readonly agent = new Agent({ keepAlive: true, timeout: 3000 })

  constructor(app: Express) {
    super(app)
    this.on('listening', () => open.add(this))
  }

  override close(done?: (error?: Error) => void): this {
    done?.()
    return this
  }

  /** A request that nobody waits for comes to its end. */
  end(): void {
    open.delete(this)
    super.close()
  }
}
