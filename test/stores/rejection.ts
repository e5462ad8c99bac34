/** What a promise rejects with; fails where it resolves. */
export async function rejectionOf(promise: Promise<unknown> | undefined): Promise<Error> {
  try {
    await promise
  } catch (error) {
    if (error instanceof Error) return error
    throw new Error(`rejected with something that is no Error: ${String(error)}`)
  }
  throw new Error('resolved where it should reject')
}
