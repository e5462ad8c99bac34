import { expect } from 'chai'
import type { Response } from 'supertest'
import { type Browser, HTML, JSON_TYPE } from './browser.js'

/** Asks for JSON. */
export function getJson(browser: Browser, path: string) {
  return browser.get(path).set('Accept', JSON_TYPE)
}

/** Asks for a page. */
export function getPage(browser: Browser, path: string) {
  return browser.get(path).set('Accept', HTML)
}

/** Posts JSON and wants JSON; a text goes out as it is. */
export function postJson(browser: Browser, path: string, body: object | string = {}) {
  return browser.post(path).set('Accept', JSON_TYPE).set('Content-Type', JSON_TYPE).send(body)
}

/** Posts a form, as a browser does that shows pages; a text goes out as it is. */
export function postForm(browser: Browser, path: string, body: object | string = {}) {
  return browser.post(path).set('Accept', HTML).type('form').send(body)
}

/**
 * Expects a problem as RFC 9457 JSON with exactly the contract's members. A malformed request names
 * its field, or null; `expectMalformed` says which.
 */
export function expectProblem(
  response: Response,
  code: string,
  status: number,
  next?: string,
): void {
  expect(response.status, JSON.stringify(response.body)).to.equal(status)
  expect(response.headers['content-type']).to.match(/^application\/problem\+json(;|$)/)
  const { title, detail } = response.body
  expect(title).to.be.a('string').and.not.equal('')
  expect(detail).to.be.a('string').and.not.equal('')
  const type = `urn:second-step:${code}`
  const field = code === 'malformed-request' ? { field: response.body.field ?? null } : {}
  const path = next === undefined ? {} : { next }
  expect(response.body).to.deep.equal({ type, title, status, code, detail, ...path, ...field })
}

/** Expects a malformed request, and that it names this field; null: none, the body as a whole. */
export function expectMalformed(response: Response, field: string | null, status = 400): void {
  expectProblem(response, 'malformed-request', status)
  expect(response.body.field).to.equal(field)
}

/** Expects the headers that every response of the package carries. */
export function expectSafeHeaders({ headers }: Response): void {
  expect(headers['cache-control']).to.equal('no-store')
  expect(headers['referrer-policy']).to.equal('strict-origin')
  expect(headers['x-content-type-options']).to.equal('nosniff')
  const policy = headers['content-security-policy']
  expect(policy).to.be.a('string').and.not.include('unsafe-inline')
  expect(policy).to.not.include('form-action')
  expect(policy).to.include("frame-ancestors 'none'")
}
