import type { Request } from 'express'

/** Of each request, what every one of the `RequestNotes` has of it. */
const kept = new WeakMap<Request, unknown[]>()
let kinds = 0

/**
 * Notes of one kind about requests, out of reach of other code: as a WeakMap of its own would have them. All kinds
 * share one, because an entry of a WeakMap is dear where there is one for each request.
 */
export class RequestNotes<Note> {
  readonly #place = kinds++

  get(req: Request): Note | undefined {
    return kept.get(req)?.[this.#place] as Note | undefined
  }

  has(req: Request): boolean {
    return this.get(req) !== undefined
  }

  set(req: Request, note: Note): void {
    const notes = kept.get(req)
    if (notes !== undefined) notes[this.#place] = note
    else kept.set(req, noteAlone(this.#place, note))
  }
}

function noteAlone(place: number, note: unknown): unknown[] {
  const notes: unknown[] = new Array(kinds).fill(undefined)
  notes[place] = note
  return notes
}
