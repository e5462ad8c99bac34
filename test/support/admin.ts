import type { RequestHandler } from 'express'
import type { SecondStepOptions, UserQuery } from '../../lib/index.js'
import { getJson } from './answers.js'
import { type Browser, browserOf, type Enrolment, enrol, JSON_TYPE, signIn } from './browser.js'
import { SECOND } from './clock.js'
import { ann, bob, type Host, type HostOptions, type HostUser, makeHost } from './host.js'

export const ADMIN = '/admin/second-step'

export const ada: HostUser = {
  id: 'ada',
  name: 'Ada Admin',
  email: 'ada@acme.example',
  password: 'ada-password',
  roles: ['admin'],
}
export const otherAdmin: HostUser = { ...ada, id: 'otto', name: 'Otto', password: 'otto-password' }

export const PEOPLE: readonly HostUser[] = [
  ada,
  otherAdmin,
  { ...ann, email: 'ann@acme.example', roles: ['user'] },
  { ...bob, roles: ['user'] },
]

/** The host's own check: whoever has the role may pass, and nobody else. */
export const requireAdmin: RequestHandler = (req, res, next) => {
  const user = req.user as HostUser | undefined
  if (user === undefined) res.status(401).json({ code: 'host-says-sign-in' })
  else if (user.roles?.includes('admin') === true) next()
  else res.status(403).json({ code: 'host-says-no' })
}

/** The host's users, searched by name or address, with a cursor that is an index. */
export function listOf(people: readonly HostUser[]) {
  return async ({ search, cursor, limit }: UserQuery) => {
    if (cursor !== null && !/^\d{1,6}$/.test(cursor)) return null
    const wanted = search.toLowerCase()
    const found = people.filter(({ name, email = '' }) =>
      `${name} ${email}`.toLowerCase().includes(wanted),
    )
    const [from, to] = [Number(cursor ?? 0), Number(cursor ?? 0) + limit]
    return { users: found.slice(from, to), next: to < found.length ? String(to) : null }
  }
}

export function usersOf(people: readonly HostUser[], searchable = true) {
  const findById = async (id: string) => people.find((user) => user.id === id) ?? null
  return searchable ? { findById, list: listOf(people) } : { findById }
}

/** A host whose admins administer. */
export function makeAdminHost(
  more: Partial<SecondStepOptions<HostUser>> = {},
  given: HostOptions = {},
): Host {
  return makeHost({
    users: PEOPLE,
    ...given,
    options: { users: usersOf(PEOPLE), roles: ['user', 'admin'], ...given.options, ...more },
    mount: ({ app, secondStep }) => void app.use(ADMIN, requireAdmin, secondStep.adminRouter()),
  })
}

/** Ada, signed in with a fresh code at a new host. Time moves on by one step. */
export async function adminVisit(
  more: Partial<SecondStepOptions<HostUser>> = {},
  given: HostOptions = {},
): Promise<{ host: Host; browser: Browser; enrolment: Enrolment }> {
  const host = makeAdminHost(more, given)
  return { host, ...(await adminAt(host)) }
}

/** Ada comes to a host, sets up and signs in. */
export async function adminAt(
  host: Host,
  user: HostUser = ada,
): Promise<{ browser: Browser; enrolment: Enrolment }> {
  const enrolment = await enrol(host, user)
  const browser = browserOf(host)
  await signIn(browser, user, enrolment)
  host.system.advance(30 * SECOND)
  return { browser, enrolment }
}

/** PUTs JSON and wants JSON. */
export function putJson(browser: Browser, path: string, body: object | string = {}) {
  return browser.put(path).set('Accept', JSON_TYPE).set('Content-Type', JSON_TYPE).send(body)
}

/** The entries about refused changes, newest first: what, why, and about whom. */
export async function refusalsIn(host: Host): Promise<readonly object[]> {
  const page = await host.store.audit?.list({ user: null, cursor: null, limit: 100 })
  return (page?.entries ?? []).flatMap(({ type, user, actor, detail, reason }) =>
    type === 'change-refused' ? [{ user, actor, ...detail, reason }] : [],
  )
}

/** A user as admins see them. */
export async function seenBy(browser: Browser, id: string) {
  const { body } = await getJson(browser, `${ADMIN}/users/${encodeURIComponent(id)}`).expect(200)
  return body
}
