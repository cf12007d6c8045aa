import { isUtf8 } from 'node:buffer';
import { types } from 'node:util';
import { quoted } from './errors.js';
import { documentedName, MAX_NAME_LENGTH } from './field-name.js';
import { END, FlatXml, NAME, NOT_ASCII, NUMBERS_PER_FIELD, VALUE_START } from './flat-xml.js';

/** The largest document that is read, in bytes. */
export const MAX_BYTES = 64 * 1024;
/** The most fields that a document may have. */
export const MAX_FIELDS = 128;

/** Why a document is outside the dialect. */
export interface RefusedXml {
  readonly ok: false;
  /** Says the byte offset, what was expected and what was found; nothing of a value. */
  readonly reason: string;
}

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const HASH = 0x23;
const AMPERSAND = 0x26;
const SLASH = 0x2f;
const SEMICOLON = 0x3b;
const LESS_THAN = 0x3c;
const EQUALS = 0x3d;
const GREATER_THAN = 0x3e;
const RIGHT_BRACKET = 0x5d;
const LOWER_X = 0x78;
const NOT_ASCII_BIT = 0x80;
/** The first byte of U+F000 to U+FFFF. XML forbids the last two of them, U+FFFE and U+FFFF: EF BF BE and EF BF BF. */
const LEAD_BYTE_EF = 0xef;

const BYTE_ORDER_MARK = '\xef\xbb\xbf';
const CDATA_OPEN = '<![CDATA[';
const ENTITIES: readonly { readonly spelling: string; readonly character: number }[] = [
  { spelling: '&amp;', character: AMPERSAND },
  { spelling: '&lt;', character: LESS_THAN },
  { spelling: '&gt;', character: GREATER_THAN },
  { spelling: '&quot;', character: 0x22 },
  { spelling: '&apos;', character: 0x27 },
];

const DECLARATION = new RegExp(
  String.raw`^<\?xml_+version=("|')1\.0\1(?:_+encoding=("|')[Uu][Tt][Ff]-8\2)?(?:_+standalone=("|')(?:yes|no)\3)?_*\?>`
    .replaceAll('=', '_*=_*')
    .replaceAll('_', String.raw`[ \t\r\n]`),
);
/** Far more than a declaration needs: it bounds what the expression above can be made to read. */
const MAX_DECLARATION_LENGTH = 256;

function byteTable(holds: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (holds(byte) ? 1 : 0));
}

const IS_NAME_START = byteTable((byte) => /[A-Za-z_]/.test(String.fromCharCode(byte)));
const IS_NAME_PART = byteTable((byte) => /[A-Za-z0-9_.-]/.test(String.fromCharCode(byte)));
/** Bytes that need a second look inside a CDATA section: they may end it, or XML may forbid them. */
const IS_SPECIAL_IN_CDATA = byteTable(
  (byte) => byte === RIGHT_BRACKET || byte === LEAD_BYTE_EF || (byte < SPACE && !isXmlCharacter(byte)),
);
const IS_SPECIAL_IN_TEXT = byteTable(
  (byte) => byte === LESS_THAN || byte === AMPERSAND || IS_SPECIAL_IN_CDATA[byte] === 1,
);

/** What XML 1.0 calls a Char. Nothing else can be in a document, however it is written. */
function isXmlCharacter(codePoint: number): boolean {
  return (
    codePoint === TAB ||
    codePoint === LINE_FEED ||
    codePoint === CARRIAGE_RETURN ||
    (codePoint >= SPACE && codePoint <= 0xd7ff) ||
    (codePoint >= 0xe000 && codePoint <= 0xfffd) ||
    (codePoint >= 0x1_0000 && codePoint <= 0x10_ffff)
  );
}

// The scanner's state. One document is read at a time, from its first byte to its last, without a pause, so one
// set of variables serves all; they are not the fields of an object because V8 reads these twice as fast.

/** A copy of the document with a NUL behind it. Nothing accepts a NUL, so no loop needs to watch for the end. */
const input = Buffer.alloc(MAX_BYTES + CDATA_OPEN.length);
let inputLength = 0;
/** What was read: `name=value&` for each field. Never longer than the input, since `<a/>` is longer than `a=&`. */
const text = Buffer.alloc(MAX_BYTES);
let textLength = 0;
const numbers = new Array<number>(MAX_FIELDS * NUMBERS_PER_FIELD).fill(0);
/** Where each field begins in the input: needed only to say where a duplicate is. */
const positions = new Array<number>(MAX_FIELDS).fill(0);
let fieldCount = 0;
/** Whether every name so far is greater than the one before: then they are unique and in order at once. */
let isAscending = true;
let previousNameStart = 0;
let previousNameEnd = 0;
/** All bytes of the value being read, or-ed; and all bytes of all values. */
let valueBits = 0;
let allBits = 0;
/** Why and where the document was refused. */
let expectation = '';
let refusedAt = 0;

/** Returned in place of a position. An exception, or a sentence made up too early, would cost more than the scan. */
const REFUSED = -1;

/**
 * Reads a document of the flat dialect: one root element named `rootName`; in it, fields with unique names and
 * text for a value. Once over the bytes, from left to right, in linear time.
 *
 * Every `scan…` function below takes the position where its part begins and returns the position behind it.
 */
export function scanXml(document: Uint8Array | string, rootName: string): FlatXml | RefusedXml {
  const problem = load(document);
  if (problem !== undefined) return { ok: false, reason: problem };
  if (scanDocument(rootName) === REFUSED) return refusal();
  let order: number[] | undefined;
  if (!isAscending) {
    order = sortedFields();
    if (findDuplicate(order) === REFUSED) return refusal();
  }
  return new FlatXml(
    text.toString('latin1', 0, textLength),
    numbers.slice(0, fieldCount * NUMBERS_PER_FIELD),
    order,
  );
}

/** Copies the document into the input. Returns what is wrong with it as a whole, if anything is. */
function load(document: Uint8Array | string): string | undefined {
  if (typeof document === 'string') {
    const loneSurrogate = /\p{Surrogate}/u.exec(document);
    if (loneSurrogate !== null) return `expected Unicode text, found a lone surrogate at character ${loneSurrogate.index}`;
    const bytes = Buffer.byteLength(document);
    if (bytes > MAX_BYTES) return `expected at most ${MAX_BYTES} bytes, found ${bytes}`;
    inputLength = input.write(document);
  } else {
    if (!types.isUint8Array(document)) return `expected bytes or a string, found ${typeof document}`;
    if (document.length > MAX_BYTES) return `expected at most ${MAX_BYTES} bytes, found ${document.length}`;
    input.set(document);
    inputLength = document.length;
  }
  input[inputLength] = 0;
  textLength = 0;
  fieldCount = 0;
  isAscending = true;
  allBits = 0;
  return undefined;
}

function scanDocument(rootName: string): number {
  const root = scanProlog();
  if (root === REFUSED) return REFUSED;
  if (!follows(root, `<${rootName}>`)) return refuse(root, `<${rootName}>`);
  let next = skipWhiteSpace(root + rootName.length + 2);
  while (input[next + 1] !== SLASH) {
    next = scanField(next);
    if (next === REFUSED) return REFUSED;
    next = skipWhiteSpace(next);
  }
  if (!follows(next, `</${rootName}>`)) return refuse(next, `a field or </${rootName}>`);
  next = skipWhiteSpace(next + rootName.length + 3);
  if (next !== inputLength) return refuse(next, 'nothing more');
  if (allBits >= NOT_ASCII_BIT && !isUtf8(input.subarray(0, inputLength))) return refuse(invalidUtf8At(), 'UTF-8');
  return next;
}

function scanProlog(): number {
  let next = follows(0, BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  if (follows(next, '<?')) {
    const declaration = DECLARATION.exec(input.toString('latin1', next, next + MAX_DECLARATION_LENGTH));
    if (declaration === null) return refuse(next, 'an XML declaration of version 1.0 in UTF-8');
    next += declaration[0].length;
  }
  return skipWhiteSpace(next);
}

/** `<name>value</name>` or `<name/>` */
function scanField(at: number): number {
  if (input[at] !== LESS_THAN || IS_NAME_START[input[at + 1]!] === 0) return refuse(at, 'a field');
  if (fieldCount === MAX_FIELDS) return refuse(at, `at most ${MAX_FIELDS} fields`);
  const nameStart = textLength;
  let next = scanName(at + 1);
  const nameEnd = textLength;
  if (nameEnd - nameStart > MAX_NAME_LENGTH) return refuse(at, `a name of at most ${MAX_NAME_LENGTH} characters`);
  if (isAscending && fieldCount > 0) {
    isAscending = compareNames(nameStart, nameEnd, previousNameStart, previousNameEnd) > 0;
  }
  previousNameStart = nameStart;
  previousNameEnd = nameEnd;

  text[textLength++] = EQUALS;
  const valueStart = textLength;
  valueBits = 0;
  if (input[next] === SLASH && input[next + 1] === GREATER_THAN) {
    next += 2;
  } else {
    if (input[next] !== GREATER_THAN) return refuse(next, '> or /> right behind the name');
    next = scanValue(next + 1);
    if (next === REFUSED) return REFUSED;
    next = scanCloseTag(next, nameStart, nameEnd);
    if (next === REFUSED) return REFUSED;
  }

  positions[fieldCount] = at;
  const field = fieldCount++ * NUMBERS_PER_FIELD;
  numbers[field + VALUE_START] = valueStart;
  numbers[field + END] = textLength;
  numbers[field + NAME] = documentedName(text, nameStart, nameEnd);
  numbers[field + NOT_ASCII] = valueBits & NOT_ASCII_BIT;
  allBits |= valueBits;
  text[textLength++] = AMPERSAND;
  return next;
}

function scanName(at: number): number {
  let next = at;
  let end = textLength;
  for (;;) {
    const byte = input[next]!;
    if (IS_NAME_PART[byte] === 0) break;
    text[end++] = byte;
    next++;
  }
  textLength = end;
  return next;
}

function scanCloseTag(at: number, nameStart: number, nameEnd: number): number {
  let next = at + 2;
  for (let i = nameStart; i < nameEnd; i++) {
    if (input[next++] !== text[i]) return refuseCloseTag(at, nameStart, nameEnd);
  }
  return input[next] === GREATER_THAN ? next + 1 : refuseCloseTag(at, nameStart, nameEnd);
}

/** Text and CDATA sections, in any number and order, up to the next close tag. */
function scanValue(at: number): number {
  let next = at;
  while (input[next] !== LESS_THAN || input[next + 1] !== SLASH) {
    next = isCdataOpen(next) ? scanCdata(next + CDATA_OPEN.length) : scanText(next);
    if (next === REFUSED) return REFUSED;
  }
  return next;
}

function scanCdata(at: number): number {
  let next = at;
  let bits = 0;
  for (;;) {
    const byte = input[next]!;
    if (IS_SPECIAL_IN_CDATA[byte] !== 0) {
      if (isCdataClose(next)) break;
      if (!isAllowed(next)) return refuse(next, next < inputLength ? 'a character that XML allows' : ']]>');
    }
    bits |= byte;
    next++;
  }
  valueBits |= bits;
  append(at, next);
  return next + 3;
}

/** Text up to the next `<`. */
function scanText(at: number): number {
  let start = at;
  let next = at;
  let bits = 0;
  for (;;) {
    const byte = input[next]!;
    if (IS_SPECIAL_IN_TEXT[byte] !== 0) {
      if (byte === LESS_THAN) break;
      if (byte === AMPERSAND) {
        append(start, next);
        next = scanReference(next);
        if (next === REFUSED) return REFUSED;
        start = next;
        continue;
      }
      if (isCdataClose(next)) return refuse(next, 'no ]]> in text');
      if (!isAllowed(next)) return refuse(next, next < inputLength ? 'a character that XML allows' : 'a close tag');
    }
    bits |= byte;
    next++;
  }
  if (next === at) return refuse(at, 'text, a CDATA section or a close tag');
  valueBits |= bits;
  append(start, next);
  return next;
}

/** `&amp;` and its four siblings, or a character by its number: `&#38;`, `&#x26;`. */
function scanReference(at: number): number {
  if (input[at + 1] === HASH) return scanCharacterReference(at);
  for (const { spelling, character } of ENTITIES) {
    if (follows(at, spelling)) {
      text[textLength++] = character;
      return at + spelling.length;
    }
  }
  return refuse(at, '&amp;, &lt;, &gt;, &quot;, &apos; or a character reference');
}

function scanCharacterReference(at: number): number {
  const base = input[at + 2] === LOWER_X ? 16 : 10;
  const digits = at + (base === 16 ? 3 : 2);
  let next = digits;
  let codePoint = 0;
  for (;;) {
    const digit = digitOf(input[next]!);
    if (digit >= base) break;
    // Beyond the last character it stays beyond it, however many digits follow.
    codePoint = Math.min(codePoint * base + digit, 0x11_0000);
    next++;
  }
  if (next === digits || input[next] !== SEMICOLON || !isXmlCharacter(codePoint)) {
    return refuse(at, 'a reference to a character that XML allows');
  }
  appendCodePoint(codePoint);
  return next + 1;
}

/** The value of a hexadecimal digit; 16 for every other byte. */
function digitOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : 16;
}

function skipWhiteSpace(at: number): number {
  let next = at;
  for (;;) {
    const byte = input[next];
    if (byte !== SPACE && byte !== LINE_FEED && byte !== CARRIAGE_RETURN && byte !== TAB) return next;
    next++;
  }
}

function follows(at: number, literal: string): boolean {
  for (let i = 0; i < literal.length; i++) {
    if (input[at + i] !== literal.charCodeAt(i)) return false;
  }
  return true;
}

/** {@link follows} for `<![CDATA[`, unrolled: it is asked once for each field. */
function isCdataOpen(at: number): boolean {
  return (
    input[at] === LESS_THAN &&
    input[at + 1] === 0x21 &&
    input[at + 2] === 0x5b &&
    input[at + 3] === 0x43 &&
    input[at + 4] === 0x44 &&
    input[at + 5] === 0x41 &&
    input[at + 6] === 0x54 &&
    input[at + 7] === 0x41 &&
    input[at + 8] === 0x5b
  );
}

function isCdataClose(at: number): boolean {
  return input[at] === RIGHT_BRACKET && input[at + 1] === RIGHT_BRACKET && input[at + 2] === GREATER_THAN;
}

/** Whether a byte that needed a second look is part of a character like any other. */
function isAllowed(at: number): boolean {
  const byte = input[at];
  if (byte === LEAD_BYTE_EF) return input[at + 1] !== 0xbf || input[at + 2]! < 0xbe;
  return byte === RIGHT_BRACKET;
}

/** Takes over bytes of the input as they are. A call into C++ pays only for many. */
function append(from: number, to: number): void {
  let end = textLength;
  if (to - from > 64) {
    text.set(input.subarray(from, to), end);
    end += to - from;
  } else {
    for (let i = from; i < to; i++) text[end++] = input[i]!;
  }
  textLength = end;
}

function appendCodePoint(codePoint: number): void {
  if (codePoint < 0x80) {
    text[textLength++] = codePoint;
    return;
  }
  valueBits |= NOT_ASCII_BIT;
  textLength += text.write(String.fromCodePoint(codePoint), textLength);
}

/** Below, at or above zero as the first name (a stretch of the text) is less than, equal to or greater than the second. */
function compareNames(start: number, end: number, otherStart: number, otherEnd: number): number {
  const common = Math.min(end - start, otherEnd - otherStart);
  for (let i = 0; i < common; i++) {
    const difference = text[start + i]! - text[otherStart + i]!;
    if (difference !== 0) return difference;
  }
  return end - start - (otherEnd - otherStart);
}

function nameStartOf(field: number): number {
  return field === 0 ? 0 : numbers[field - NUMBERS_PER_FIELD + END]! + 1;
}

function compareFields(field: number, other: number): number {
  return compareNames(
    nameStartOf(field),
    numbers[field + VALUE_START]! - 1,
    nameStartOf(other),
    numbers[other + VALUE_START]! - 1,
  );
}

/** The fields in ascending order of their names. */
function sortedFields(): number[] {
  return Array.from({ length: fieldCount }, (_, index) => index * NUMBERS_PER_FIELD).sort(compareFields);
}

function refuse(at: number, expected: string): number {
  refusedAt = at;
  expectation = expected;
  return REFUSED;
}

/** Names are unique if each is greater than the one before it in ascending order. */
function findDuplicate(order: readonly number[]): number {
  for (let i = 1; i < order.length; i++) {
    const field = order[i]!;
    if (compareFields(order[i - 1]!, field) === 0) {
      const name = text.toString('latin1', nameStartOf(field), numbers[field + VALUE_START]! - 1);
      return refuse(positions[field / NUMBERS_PER_FIELD]!, `<${name}> only once`);
    }
  }
  return 0;
}

function refuseCloseTag(at: number, nameStart: number, nameEnd: number): number {
  return refuse(at, `</${text.toString('latin1', nameStart, nameEnd)}>`);
}

/** The position of the first byte that decoding replaces. */
function invalidUtf8At(): number {
  const repaired = Buffer.from(input.toString('utf8', 0, inputLength));
  let at = 0;
  while (input[at] === repaired[at]) at++;
  return at;
}

function refusal(): RefusedXml {
  return { ok: false, reason: `at byte ${refusedAt}: expected ${expectation}, found ${found(refusedAt)}` };
}

/** What stands at a position: a piece of markup or a single character, since more could be somebody's data. */
function found(at: number): string {
  if (at >= inputLength) return 'the end';
  const following = input.toString('latin1', at, Math.min(at + 40, inputLength));
  const [printable] = /^(?:<[!?/]?[A-Za-z_][A-Za-z0-9_.-]*|[\x20-\x7e])/.exec(following) ?? [];
  return printable === undefined ? `byte 0x${following.charCodeAt(0).toString(16).padStart(2, '0')}` : quoted(printable);
}
