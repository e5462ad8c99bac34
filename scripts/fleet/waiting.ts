/** Looks for something now and then. @returns whether it came about in time */
export async function comesAbout(
  is: () => Promise<boolean> | boolean,
  within: number,
): Promise<boolean> {
  const deadline = performance.now() + within
  while (!(await is())) {
    if (performance.now() > deadline) return false
    await pause(50)
  }
  return true
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
