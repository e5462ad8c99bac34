/** Tells the values of a gauge, at each export. */
export type Observer = (result: {
  observe(value: number, attributes: Record<string, string>): void
}) => void

/** What `@opentelemetry/api` exports, as far as it is used. */
export interface Telemetry {
  readonly metrics: {
    getMeter(name: string): {
      createCounter(
        name: string,
        options: { description: string },
      ): { add(value: number, attributes: Record<string, string>): void }
      createHistogram(
        name: string,
        options: {
          description: string
          unit: string
          advice: { explicitBucketBoundaries: number[] }
        },
      ): { record(value: number, attributes: Record<string, string>): void }
      createObservableGauge(
        name: string,
        options: { description: string },
      ): { addCallback(callback: Observer): void; removeCallback(callback: Observer): void }
    }
  }
  /** Left out: no spans. */
  readonly trace?: {
    getTracer(name: string): {
      startSpan(
        name: string,
        options: { attributes: Record<string, string> },
      ): {
        setAttribute(name: string, value: string): unknown
        setStatus(status: { code: number }): unknown
        end(): void
      }
    }
    getActiveSpan(): unknown
  }
}
