// What a host writes in TypeScript that lets its admins administer: compiled, never run.

import { createSecondStep, memoryStore, type UserPage } from 'passport-second-step'

interface Customer {
  readonly id: number
  readonly rank: number
}

const nobody: UserPage<Customer> = { users: [], next: null }

export const { adminRouter } = createSecondStep<Customer>({
  issuer: 'Acme',
  origin: 'https://acme.example',
  keys: [undefined],
  store: memoryStore(),
  users: {
    findById: async (id) => ({ id: Number(id), rank: 0 }),
    list: async ({ search, cursor, limit }) => {
      return search.length + limit > 0 || cursor === null ? nobody : null
    },
  },
  roles: ['user'],
  canAdminister: (actor, user, action) => actor.rank > user.rank && action !== 'disable',
})

createSecondStep<Customer>({
  issuer: 'Acme',
  origin: 'https://acme.example',
  keys: [undefined],
  store: memoryStore(),
  // @ts-expect-error: there is no such action, so this would let everything else through.
  canAdminister: (_actor, _user, action) => action !== 'enable',
})
