import { quoted, WechatH5Error } from './errors.js';
import { isFieldName, MAX_NAME_LENGTH } from './field-name.js';
import { MAX_BYTES, MAX_FIELDS, scannedRecord } from './scanned-fields.js';
import { scanXml } from './xml-scanner.js';

/** Anything but what XML 1.0 calls a Char: a lone surrogate too, which cannot be written in UTF-8. */
const NOT_XML_CHARACTER = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

/**
 * Reads a message of the V2 API: one `<xml>` element whose children are flat fields.
 *
 * Values are exact: nothing is trimmed, turned into a number or normalised (a CR LF stays one). Accepted are a byte
 * order mark; a declaration of version 1.0, whose encoding may only be UTF-8; white space around the root and
 * between fields; text and CDATA sections, several of them too; `<a/>`; the five entities and character
 * references, decoded once. Everything else is refused: DOCTYPE, comments, processing instructions, attributes,
 * white space inside tags, nested and repeated fields, characters that XML forbids, invalid UTF-8, anything
 * truncated or trailing, more than 64 KiB, 128 fields or 64 characters in a name.
 *
 * @returns the fields in the order of the document. The record has no prototype: `__proto__` or `constructor` is a key
 *   like any other, and only if the document has it.
 * @throws {WechatH5Error} `XML_INVALID`, which says the byte offset and what was found there
 * @see https://pay.weixin.qq.com/doc/v2/merchant/4011941162
 */
export function parseXml(xml: Uint8Array | string): Record<string, string> {
  return parseFlatXml(xml, 'xml');
}

/** {@link parseXml} for another root: inside `req_info` of a refund notification it is `<root>`. */
export function parseFlatXml(xml: Uint8Array | string, rootName: string): Record<string, string> {
  const refused = scanXml(xml, rootName);
  if (refused === undefined) return scannedRecord();
  throw new WechatH5Error('XML_INVALID', `This is not the XML of WeChat Pay: ${refused.reason}`, {
    hint:
      'Pass the bytes exactly as they were received. If they are, they do not come from WeChat Pay. ' +
      '请传入未经任何修改的原始报文；若报文未被改动，则它并非来自微信支付。',
  });
}

/**
 * Writes a message of the V2 API: every value as CDATA, in the order of the record.
 *
 * What it returns, {@link parseXml} reads back unchanged, and so does every XML parser: `]]>` is split over two
 * sections, and a CR, which parsers turn into LF, is written as a character reference.
 *
 * @throws {WechatH5Error} `FIELD_INVALID` (`field` names the field) for a name or a value that the dialect cannot carry
 */
export function buildXml(fields: Readonly<Record<string, string>>): string {
  const names = Object.keys(fields);
  if (names.length > MAX_FIELDS) throw invalid(undefined, `There are ${names.length} fields, more than ${MAX_FIELDS}`);
  const xml = `<xml>${names.map((name) => element(name, fields[name])).join('')}</xml>`;
  const bytes = Buffer.byteLength(xml);
  if (bytes > MAX_BYTES) throw invalid(undefined, `The message has ${bytes} bytes, more than ${MAX_BYTES}`);
  return xml;
}

function element(name: string, value: unknown): string {
  if (!isFieldName(name)) throw invalid(name, `${quoted(name)} is not the name of a field`);
  if (typeof value !== 'string')
    throw invalid(name, `${name} is ${value === null ? 'null' : `of type ${typeof value}`}`);
  const forbidden = NOT_XML_CHARACTER.exec(value);
  if (forbidden !== null) {
    const codePoint = forbidden[0].codePointAt(0) as number;
    throw invalid(name, `${name} contains U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`);
  }
  const cdata = value.replaceAll(']]>', ']]]]><![CDATA[>').replaceAll('\r', ']]>&#13;<![CDATA[');
  return `<${name}><![CDATA[${cdata}]]></${name}>`;
}

function invalid(field: string | undefined, problem: string): WechatH5Error {
  const hint =
    `Give at most ${MAX_FIELDS} fields named by letters, digits and underscores (at most ${MAX_NAME_LENGTH}), ` +
    'with strings of characters that XML allows. 字段名只能含字母、数字和下划线，字段值必须是不含控制字符的字符串。';
  return new WechatH5Error('FIELD_INVALID', problem, field === undefined ? { hint } : { hint, field });
}
