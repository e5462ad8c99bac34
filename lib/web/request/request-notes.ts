import type { Request } from 'express'

/** What every one of the `RequestNotes` has of a request. */
type Notes = unknown[]

class Given {
  constructor(one: object) {
    // biome-ignore lint/correctness/noConstructorReturn: it is what gives a request a private part, see Noted
    return one
  }
}

/**
 * Puts the notes on the request itself, in a private part: nothing lists, reads, copies or sets it but this class.
 * For a request that lives a moment, a WeakMap is several times as dear.
 */
class Noted extends Given {
  readonly #notes: Notes

  constructor(req: object, notes: Notes) {
    super(req)
    this.#notes = notes
  }

  static notesOf(req: object): Notes | undefined {
    return #notes in req ? req.#notes : undefined
  }
}

let kinds = 0

/** Notes of one kind about requests, out of reach of other code: as a WeakMap would have them. */
export class RequestNotes<Note> {
  readonly #place = kinds++

  get(req: Request): Note | undefined {
    return Noted.notesOf(req)?.[this.#place] as Note | undefined
  }

  has(req: Request): boolean {
    return this.get(req) !== undefined
  }

  set(req: Request, note: Note): void {
    const notes = Noted.notesOf(req)
    if (notes !== undefined) notes[this.#place] = note
    else new Noted(req, noteAlone(this.#place, note))
  }
}

function noteAlone(place: number, note: unknown): Notes {
  const notes: Notes = new Array(kinds).fill(undefined)
  notes[place] = note
  return notes
}
