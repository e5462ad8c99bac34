/** connect-redis 9, under the name that it has here beside the 8 for ioredis. */
declare module 'connect-redis-9' {
  export { RedisStore } from 'connect-redis'
}
