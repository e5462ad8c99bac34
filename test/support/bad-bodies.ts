import type { Test } from 'supertest'
import { JSON_TYPE } from './browser.js'

/** A body that holds no code as it should, and the status that says so. */
export interface BadBody {
  readonly type?: string
  readonly body?: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
  readonly status: 400 | 413 | 415
}

const FORM = 'application/x-www-form-urlencoded'
const FULL_WIDTH = '１２３４５６'

/** Texts that no code looks like, from field `code`. */
const texts: Record<string, string> = {
  'an empty code': '',
  'a blank code': '   ',
  'five digits': '12345',
  'nine digits': '123456789',
  'digits of another length than this authenticator’s': '1234567',
  'full-width digits': FULL_WIDTH,
  'Arabic digits': '١٢٣٤٥٦',
  'superscript digits': '¹²³456',
  'a letter too much': '123456a',
  'a sign': '+123456',
  'a decimal point': '123456.0',
  'an exponent': '1e5',
  'hexadecimal digits': '0x1234',
  'a null byte': '123456\u0000',
  'a zero-width space': '123\u200b456',
  'part of a backup code': 'ABCDEF-ABCDEF-ABCDEF',
  'a backup code and more': 'ABCDEF-ABCDEF-ABCDEF-ABCDEF-A',
  'a backup code with a letter that none has': 'UUUUUU-ABCDEF-ABCDEF-ABCDEF',
  'a backup code with a dotless i': 'ABCDEF-ABCDEF-ABCDEF-ABCDEı',
  'words of SQL': "' OR '1'='1",
  'a thousand digits': '1'.repeat(1000),
}

const asJson = (code: unknown): string => JSON.stringify({ code })
const asForm = (code: string): string => new URLSearchParams({ code }).toString()

function table<T>(from: Record<string, T>, bodyOf: (value: T) => string, type: string) {
  const entries = Object.entries(from).map(([name, value]) => {
    const bad: BadBody = { type, body: bodyOf(value), status: 400 }
    return [name, bad] as const
  })
  return Object.fromEntries(entries)
}

const values: Record<string, unknown> = {
  'a list': ['123456'],
  'an empty list': [],
  'an object': { code: '123456' },
  'an object with a toString': { toString: '123456' },
  'a number': 123456,
  true: true,
  null: null,
}

/** Bad bodies in JSON. */
export const badJson: Record<string, BadBody> = {
  ...table(texts, asJson, JSON_TYPE),
  ...table(values, asJson, JSON_TYPE),
  'no code': { type: JSON_TYPE, body: '{"otp":"123456"}', status: 400 },
  'a code of the prototype’s': {
    type: JSON_TYPE,
    body: '{"__proto__":{"code":"123456"}}',
    status: 400,
  },
  'a bare null': { type: JSON_TYPE, body: 'null', status: 400 },
  'a bare list': { type: JSON_TYPE, body: '["code","123456"]', status: 400 },
  'a bare string': { type: JSON_TYPE, body: '"123456"', status: 400 },
  'broken JSON': { type: JSON_TYPE, body: '{"code":"123456"', status: 400 },
  'an empty body': { type: JSON_TYPE, body: '', status: 400 },
  '10 KB': { type: JSON_TYPE, body: asJson('1'.repeat(10_240)), status: 413 },
  '10 KB beside the code': {
    type: JSON_TYPE,
    body: JSON.stringify({ code: '123456', more: 'x'.repeat(10_240) }),
    status: 413,
  },
  'an unknown character set': {
    type: `${JSON_TYPE}; charset=utf-99`,
    body: asJson('123456'),
    status: 415,
  },
  'an unknown encoding': {
    type: JSON_TYPE,
    body: asJson('123456'),
    headers: { 'Content-Encoding': 'shrunk' },
    status: 415,
  },
  'an encoding that it has not': {
    type: JSON_TYPE,
    body: asJson('123456'),
    headers: { 'Content-Encoding': 'gzip' },
    status: 400,
  },
}

/** Bad bodies as forms, or as nothing that is read here. */
export const badForms: Record<string, BadBody> = {
  ...table(texts, asForm, FORM),
  'two fields': { type: FORM, body: 'code=123456&code=654321', status: 400 },
  'the same field twice': { type: FORM, body: 'code=123456&code=123456', status: 400 },
  'a list': { type: FORM, body: 'code[]=123456', status: 400 },
  'an object': { type: FORM, body: 'code[code]=123456', status: 400 },
  'no code': { type: FORM, body: 'otp=123456', status: 400 },
  'a code of the prototype’s': { type: FORM, body: '__proto__[code]=123456', status: 400 },
  'another case of the name': { type: FORM, body: 'CODE=123456', status: 400 },
  'an empty body': { type: FORM, body: '', status: 400 },
  'no body at all': { status: 400 },
  '10 KB': { type: FORM, body: asForm('1'.repeat(10_240)), status: 413 },
  '10 KB beside the code': { type: FORM, body: `code=123456&x=${'x'.repeat(10_240)}`, status: 413 },
  'two thousand fields': { type: FORM, body: `code=123456${'&a'.repeat(2000)}`, status: 413 },
  'plain text': { type: 'text/plain', body: 'code=123456', status: 415 },
  'a multipart form': {
    type: 'multipart/form-data; boundary=b',
    body: '--b\r\nContent-Disposition: form-data; name="code"\r\n\r\n123456\r\n--b--\r\n',
    status: 415,
  },
  'an empty type': { type: ' ', body: 'code=123456', status: 415 },
  'a type that is none': { type: 'json', body: '{"code":"123456"}', status: 415 },
}

/** Sends a bad body. Supertest would write a type and a length of its own. */
export function sendBad(test: Test, { type, body, headers = {} }: BadBody): Test {
  for (const [name, value] of Object.entries(headers)) test.set(name, value)
  if (type !== undefined) test.set('Content-Type', type)
  if (body === undefined) return test
  return test.serialize((sent) => sent).send(body)
}
