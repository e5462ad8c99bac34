import { type Environment, type ExampleApp, sharedSecrets, startExampleApp } from './example-app.js'
import { clockAhead } from './process-clock.js'
import { startRedis, type TestRedis } from './redis.js'

/** Processes of the example app that share all they have, in a Redis of their own. */
export class AppsOnOneRedis {
  readonly #redis: TestRedis
  readonly #secrets = sharedSecrets()
  #running: readonly ExampleApp[] = []

  private constructor(redis: TestRedis) {
    this.#redis = redis
  }

  static async open(): Promise<AppsOnOneRedis> {
    return new AppsOnOneRedis(await startRedis())
  }

  /** Starts one more. @returns its address */
  async start(environment: Environment = {}): Promise<string> {
    const env = { REDIS_URL: this.#redis.url, ...this.#secrets, ...environment }
    const app = await startExampleApp(env)
    this.#running = [...this.#running, app]
    return app.url
  }

  /** Ends all of them and starts one whose clock is at this moment. @returns its address */
  async restartAt(moment: number): Promise<string> {
    await this.#stopAll()
    return this.start(await clockAhead(moment - Date.now()))
  }

  async close(): Promise<void> {
    await this.#stopAll()
    await this.#redis.stop()
  }

  async #stopAll(): Promise<void> {
    await Promise.all(this.#running.map((app) => app.stop()))
    this.#running = []
  }
}
