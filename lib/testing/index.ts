export { type AuditLogCase, type AuditLogUnderTest, auditLogCases } from './audit-log-cases.js'
export { recordStoreCases } from './record-store-cases.js'
export type { StoreCase, StoreFactory, StoreUnderTest } from './store-under-test.js'
export { type VirtualAuthenticator, virtualAuthenticator } from './virtual-authenticator.js'
