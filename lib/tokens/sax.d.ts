/** The part of sax that is used: a parser that calls back, and holds at most 64 KB of its input. */
declare module 'sax' {
  interface Tag {
    readonly name: string
    readonly local: string
    readonly uri: string
    readonly attributes: Readonly<
      Record<string, { readonly local: string; readonly value: string }>
    >
  }

  interface Parser {
    /** From 0, of the character that was read last. */
    readonly line: number
    /** What has been read of a document type that has not ended, else empty or true. */
    readonly doctype: string | true
    onopentag: (tag: Tag) => void
    onclosetag: () => void
    onattribute: () => void
    ontext: (text: string) => void
    oncdata: (text: string) => void
    ondoctype: () => void
    onerror: (error: Error) => void
    write(text: string): Parser
  }

  const sax: {
    parser(
      strict: boolean,
      options: { readonly xmlns: boolean; readonly strictEntities: boolean },
    ): Parser
  }
  export default sax
}
