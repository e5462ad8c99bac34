/** The attributes of a measurement: names and values of fixed sets. */
export type TelemetryAttributes = Record<string, string>

/** A counter of OpenTelemetry, as far as it is used. */
export interface TelemetryCounter {
  add(value: number, attributes?: TelemetryAttributes): void
}

/** A histogram, likewise. */
export interface TelemetryHistogram {
  record(value: number, attributes?: TelemetryAttributes): void
}

/** A span, likewise. */
export interface TelemetrySpan {
  setAttribute(name: string, value: string): unknown
  setStatus(status: { code: number }): unknown
  end(): void
}

/** What `@opentelemetry/api` exports, as far as it is used. */
export interface Telemetry {
  readonly metrics: {
    getMeter(name: string): {
      createCounter(name: string, options: { description: string }): TelemetryCounter
      createHistogram(
        name: string,
        options: {
          description: string
          unit: string
          advice: { explicitBucketBoundaries: number[] }
        },
      ): TelemetryHistogram
    }
  }
  /** Left out: no spans. */
  readonly trace?: {
    getTracer(name: string): {
      startSpan(name: string, options: { attributes: TelemetryAttributes }): TelemetrySpan
    }
    /** The span that a call belongs to. Without one, a call gets no span. */
    getActiveSpan(): unknown
  }
}
