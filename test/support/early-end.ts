import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import express, { type RequestHandler } from 'express'
import { JSON_TYPE } from './browser.js'

/** A way to send a body that its parser takes for whole before the last byte has come. */
export interface EarlyEnd {
  readonly parser: RequestHandler
  readonly headers: Readonly<Record<string, string>>
  /** What the parser needs. The last byte of the body is still to come. */
  readonly enough: (body: object) => Buffer
}

export const LAST_BYTE = Buffer.alloc(1)

/** Zlib ends at the first byte behind the packed data. */
function packed(encoding: string, pack: (text: string) => Buffer): EarlyEnd {
  return {
    parser: express.json(),
    headers: { 'Content-Type': JSON_TYPE, 'Content-Encoding': encoding },
    enough: (body) => Buffer.concat([pack(JSON.stringify(body)), Buffer.alloc(10)]),
  }
}

const BOUNDARY = '--b--\r\n'

/** As parsers of multipart do, it ends at the closing boundary. */
const untilBoundary: RequestHandler = (req, _res, next) => {
  let text = ''
  const read = (piece: Buffer) => {
    text += piece.toString()
    if (!text.includes(BOUNDARY)) return
    req.off('data', read)
    req.body = JSON.parse(text.slice(0, text.indexOf(BOUNDARY)))
    next()
  }
  req.on('data', read)
}

export const EARLY_ENDS: Readonly<Record<string, EarlyEnd>> = {
  gzip: packed('gzip', gzipSync),
  deflate: packed('deflate', deflateSync),
  brotli: packed('br', brotliCompressSync),
  multipart: {
    parser: untilBoundary,
    headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
    enough: (body) => Buffer.from(JSON.stringify(body) + BOUNDARY),
  },
}
