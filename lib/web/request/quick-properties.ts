/**
 * Up to Node.js 22, Express gives every request and every response a hidden class of its own: it changes their
 * prototype. Each look at a property of theirs, and each new one, is slow then, and the two are most of what a small
 * answer takes.
 */
const HAVE_OWN_CLASSES = Number.parseInt(process.versions.v8, 10) < 13

/**
 * Makes the properties of such an object quick: once a property was deleted it is a dictionary, in which nothing
 * depends on a class. The property is put back as it was.
 *
 * @param name of a plain property that Express has just set
 */
export function quickenProperties(one: object, name: string): void {
  if (!HAVE_OWN_CLASSES) return
  const property = Reflect.getOwnPropertyDescriptor(one, name)
  if (property?.configurable !== true || !('value' in property)) return
  if (Reflect.deleteProperty(one, name)) Reflect.defineProperty(one, name, property)
}
