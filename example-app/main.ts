import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { makeApp } from './app.js'
import { scryptPasswords } from './passwords.js'
import { readSettings, type Settings, StartError } from './settings.js'
import { openStores } from './stores.js'
import { createDemoAccounts } from './users.js'

const PATIENCE = 3000

async function start(): Promise<void> {
  const settings = readSettings(process.env)
  const stores = await openStores(settings)
  const passwords = scryptPasswords(settings.passwordCost)
  const demoAccounts = settings.production ? [] : await createDemoAccounts(stores.users, passwords)
  const { app, secondStep } = makeApp(settings, stores, passwords)
  const server = createServer(app)
  await listen(server, settings.port)
  for (const line of greeting(settings, demoAccounts)) console.log(line)

  const stop = () => {
    server.close(async () => {
      await secondStep.close()
      await stores.close()
    })
    setTimeout(() => server.closeAllConnections(), PATIENCE).unref()
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  console.log('ready')
}

async function listen(server: Server, port: number): Promise<void> {
  try {
    await once(server.listen(port), 'listening')
  } catch (cause) {
    throw new StartError(`Port ${port} cannot be used: choose another with PORT.`, { cause })
  }
}

function greeting({ origin, notes }: Settings, demoAccounts: readonly string[]): readonly string[] {
  return [
    `Example app: ${origin}`,
    ...demoAccounts.map((account) => `Demo account: ${account}`),
    ...notes.map((note) => `Note: ${note}`),
  ]
}

start().catch((error: unknown) => {
  console.error(error instanceof StartError ? error.message : error)
  process.exit(1)
})
