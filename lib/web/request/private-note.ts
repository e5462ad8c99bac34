import type { Request } from 'express'

/** Something that the package notes of objects of others, such as requests. */
export interface PrivateNote<Of extends object, Noted> {
  of(one: Of): Noted | undefined
  put(one: Of, noted: Noted): void
}

/**
 * As a WeakMap: nobody else can read, change or copy what is noted, and it goes with its object. But
 * it is a private field of the object itself. An entry in a WeakMap costs ten times as much, most of
 * it when the garbage is collected.
 */
export function privateNote<Of extends object, Noted>(): PrivateNote<Of, Noted> {
  return class Note extends Given {
    #noted: Noted

    constructor(one: Of, noted: Noted) {
      super(one)
      this.#noted = noted
    }

    static of(one: Of): Noted | undefined {
      return #noted in one ? (one as unknown as Note).#noted : undefined
    }

    static put(one: Of, noted: Noted): void {
      if (#noted in one) (one as unknown as Note).#noted = noted
      else new Note(one, noted)
    }
  }
}

// A constructor that returns an object makes that one `this`, so a subclass gives it its fields.
const Given = given as unknown as new (one: object) => object

function given(one: object): object {
  return one
}

/**
 * What is noted of a request that code of the host may have wrapped: in an object that inherits from it,
 * or in a proxy, through which its response still leads to it.
 */
export function behind<Noted>(note: PrivateNote<Request, Noted>, req: Request): Noted | undefined {
  return inherited(note, req) ?? inherited(note, req.res?.req)
}

function inherited<Noted>(
  note: PrivateNote<Request, Noted>,
  req: Request | undefined,
): Noted | undefined {
  for (let one: Request | null = req ?? null; one !== null; one = Object.getPrototypeOf(one)) {
    const noted = note.of(one)
    if (noted !== undefined) return noted
  }
  return undefined
}
