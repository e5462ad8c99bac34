// What a host writes in TypeScript that measures by OpenTelemetry: compiled, never run.

import * as telemetry from '@opentelemetry/api'
import { createSecondStep, memoryStore } from 'passport-second-step'

const options = {
  issuer: 'Acme',
  origin: 'https://acme.example',
  keys: [process.env.SECOND_STEP_KEY],
  store: memoryStore(),
}

createSecondStep({ ...options, telemetry })
createSecondStep({ ...options, telemetry: { metrics: telemetry.metrics } })

// @ts-expect-error: a switch would have the package load an API that the app's SDK need not know.
createSecondStep({ ...options, telemetry: true })
