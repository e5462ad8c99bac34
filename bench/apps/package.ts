// The package as it is built, not its sources: what a host loads.
export * from '../../dist/index.js'
