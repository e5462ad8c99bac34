import sax from 'sax'
import type { FileFault } from './entry.js'

/** A small piece of an XML document, without namespaces. */
export interface XmlElement {
  readonly name: string
  /** Of its opening tag, from 1. */
  readonly line: number
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly XmlElement[]
  /** Of the element itself, not of its children. */
  readonly text: string
}

export type ElementOrFault = XmlElement | { readonly line: number; readonly fault: FileFault }

/** What a token needs is a tenth of it. The bounds are for a file that was made to fill the memory. */
const MOST_ELEMENTS = 500
const MOST_ATTRIBUTES = 500
const MOST_TEXT = 64 * 1024
/** Without an element or a text of one: the parser holds it, and looks through it again and again. */
const MOST_UNTOLD = 64 * 1024

/** What the parser says of a `&` that begins nothing known. */
const BAD_ENTITY = /^Invalid character (?:in )?entity\b/

interface Open {
  readonly name: string
  readonly line: number
  readonly attributes: Record<string, string>
  readonly children: Open[]
  text: string
}

/**
 * Reads an XML document: yields each child of its root once it has ended, so that a large one
 * never is in memory as a whole.
 *
 * A document type is refused before any of it is looked at, and with it every entity of its own.
 *
 * @param root local name of the root element, and how its namespace begins
 */
export async function* xmlElements(
  text: AsyncIterable<string>,
  root: { readonly name: string; readonly namespace: string },
): AsyncGenerator<ElementOrFault> {
  const reader = new Reader(root)
  for await (const piece of text) {
    reader.write(piece)
    yield* reader.taken()
    if (reader.fault !== null) break
  }
  reader.end()
  if (reader.fault !== null) yield reader.fault
}

class Reader {
  readonly #parser = sax.parser(true, { xmlns: true, strictEntities: true })
  readonly #root: { readonly name: string; readonly namespace: string }
  readonly #path: Open[] = []
  #whole: Open[] = []
  #depth = 0
  #rootEnded = false
  #elements = 0
  #attributes = 0
  #length = 0
  #untold = 0
  fault: { readonly line: number; readonly fault: FileFault } | null = null

  constructor(root: { readonly name: string; readonly namespace: string }) {
    this.#root = root
    const parser = this.#parser
    parser.onopentag = ({ local, uri, attributes }) => this.#open(local, uri, attributes)
    parser.onclosetag = () => this.#close()
    parser.onattribute = () => this.#count({ attributes: 1 })
    parser.ontext = (text) => this.#text(text)
    parser.oncdata = (text) => this.#text(text)
    parser.ondoctype = () => this.#fail('doctype')
    parser.onerror = ({ message }) => {
      if (this.#isInDoctype()) this.#fail('doctype')
      else this.#fail(BAD_ENTITY.test(message) ? 'entity' : 'xml')
    }
  }

  write(piece: string): void {
    this.#untold += piece.length
    try {
      this.#parser.write(piece)
    } catch {
      // The parser throws what it has told already.
      this.#fail('xml')
    }
    if (this.#untold > MOST_UNTOLD) this.#fail(this.#isInDoctype() ? 'doctype' : 'too-large')
  }

  /** The children of the root that have ended since the last time. */
  taken(): readonly XmlElement[] {
    const whole = this.#whole
    this.#whole = []
    return whole
  }

  end(): void {
    if (this.#rootEnded || this.fault !== null) return
    if (this.#isInDoctype()) this.#fail('doctype')
    else this.#fail(this.#depth === 0 ? 'not-pskc' : 'cut-short')
  }

  #open(
    name: string,
    uri: string,
    given: Readonly<Record<string, { readonly local: string; readonly value: string }>>,
  ): void {
    this.#depth += 1
    this.#untold = 0
    if (this.#depth === 1) {
      const isRoot = name === this.#root.name && uri.startsWith(this.#root.namespace)
      if (!isRoot) this.#fail('not-pskc')
      return
    }
    if (this.#depth === 2) [this.#elements, this.#attributes, this.#length] = [0, 0, 0]
    this.#count({ elements: 1 })
    const attributes: Record<string, string> = Object.create(null)
    for (const { local, value } of Object.values(given)) attributes[local] = value
    const line = this.#parser.line + 1
    const element: Open = { name, line, attributes, children: [], text: '' }
    this.#path.at(-1)?.children.push(element)
    this.#path.push(element)
  }

  #close(): void {
    this.#depth -= 1
    this.#untold = 0
    const ended = this.#path.pop()
    if (this.#depth === 0) this.#rootEnded = true
    if (this.#depth === 1 && ended !== undefined && this.fault === null) this.#whole.push(ended)
  }

  #text(text: string): void {
    this.#untold = 0
    const element = this.#path.at(-1)
    if (element === undefined) return
    this.#count({ length: text.length })
    if (this.fault === null) element.text += text
  }

  #isInDoctype(): boolean {
    const { doctype } = this.#parser
    return doctype !== true && doctype !== ''
  }

  #count({ elements = 0, attributes = 0, length = 0 }): void {
    this.#elements += elements
    this.#attributes += attributes
    this.#length += length
    const isTooLarge =
      this.#elements > MOST_ELEMENTS ||
      this.#attributes > MOST_ATTRIBUTES ||
      this.#length > MOST_TEXT
    if (isTooLarge) this.#fail('too-large')
  }

  #fail(fault: FileFault): void {
    this.fault ??= { line: this.#parser.line + 1, fault }
  }
}
