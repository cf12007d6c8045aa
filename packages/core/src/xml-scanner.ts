import { isUtf8 } from 'node:buffer';
import { types } from 'node:util';
import {
  documentedName,
  DOCUMENTED_NAMES,
  indexOfName,
  MAX_NAME_LENGTH,
  NUMBERS_PER_SPELLING,
  SPELLING_WORDS,
  UNDOCUMENTED,
} from './field-name.js';
import * as store from './scanned-fields.js';
import {
  ASIDE_START,
  compareNames,
  END,
  MAX_BYTES,
  MAX_FIELDS,
  NAME,
  nameOf,
  NOT_ASCII,
  NUMBERS_PER_FIELD,
  PAIRS_START,
  scanned,
  START,
  VALUE_START,
} from './scanned-fields.js';
import { foundAt, invalidUtf8At, MARKUP_SHOWN, type RefusedXml } from './xml-refusal.js';

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTATION_MARK = 0x22;
const HASH = 0x23;
const AMPERSAND = 0x26;
const APOSTROPHE = 0x27;
const SLASH = 0x2f;
const SEMICOLON = 0x3b;
const LESS_THAN = 0x3c;
const EQUALS = 0x3d;
const GREATER_THAN = 0x3e;
const RIGHT_BRACKET = 0x5d;
const LOWER_G = 0x67;
const LOWER_L = 0x6c;
const LOWER_P = 0x70;
const LOWER_Q = 0x71;
const LOWER_X = 0x78;
/** The highest bit of each of four bytes: clear in ASCII. */
const NOT_ASCII_BITS = 0x80808080 | 0;
/** The first byte of U+F000 to U+FFFF. XML forbids the last two of them, U+FFFE and U+FFFF: EF BF BE and EF BF BF. */
const LEAD_BYTE_EF = 0xef;

const BYTE_ORDER_MARK = '\xef\xbb\xbf';
const CLOSE_TAG_OPEN = '</';
const CDATA_OPEN = '<![CDATA[';
const CDATA_CLOSE = ']]>';
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
/** The value of each hexadecimal digit; 16 for every other byte. */
const DIGIT = Uint8Array.from({ length: 256 }, (_, byte) => {
  const value = '0123456789abcdef'.indexOf(String.fromCharCode(byte).toLowerCase());
  return value === -1 ? 16 : value;
});

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

// The scanner's state. Documents are read one at a time and without a pause, so one set of variables serves all.
// They are not the fields of an object because V8 reads module variables twice as fast; and what runs for each field
// is kept short and apart from what runs rarely, because V8 inlines only so much code into scanField.

const { text, textWords, numbers, order, fieldOf } = store;
/** A copy of the document with NULs behind it. Nothing accepts a NUL, so no loop needs to watch for the end. */
const input = Buffer.alloc(MAX_BYTES + 64);
let inputLength = 0;
/** The input once more, for what is worth doing four bytes at a time. */
const inputWords = new DataView(input.buffer, input.byteOffset, input.length);
/** Where the next byte goes in the text. What is read never grows: `<a/>` is longer than `a=&`. */
let textEnd = PAIRS_START;
let asideEnd = ASIDE_START;
let fieldCount = 0;
let isAscending = true;
/** Of the last field: which documented name it has, and whether its value is ASCII. */
let previousName = UNDOCUMENTED;
let isAscii = true;
let isAllAscii = true;
let hasAmpersand = false;
/** The documented name that came behind each one in the last document. Nearly always it does again, so it is tried first. */
const followers = new Int32Array(DOCUMENTED_NAMES.length + 1);
const SIGN = indexOfName('sign');
let rootName = '';
let openTag = '';
let closeTag = '';
/** Why and where the document was refused. */
let expectation = '';
let refusedAt = 0;
/** How many bytes may be shown of what stands there. */
let shown = MARKUP_SHOWN;

/** Returned in place of a position. An exception, or a sentence made up too early, would cost more than the scan. */
const REFUSED = -1;

/**
 * Reads a document of the flat dialect: one root element named `root`; in it, fields with unique names and text for a
 * value. Once over the bytes, from left to right, in linear time. Its fields stand in the store then.
 *
 * Every `scan…` function below takes the position where its part begins and returns the position behind it.
 *
 * @returns why the document was refused, or `undefined`
 */
export function scanXml(document: Uint8Array | string, root: string): RefusedXml | undefined {
  begin(root);
  const problem = load(document) ?? scanLoaded(document);
  if (problem !== undefined) return { ok: false, reason: problem };
  scanned.count = fieldCount;
  scanned.pairsEnd = textEnd;
  scanned.asideEnd = asideEnd;
  scanned.isAscending = isAscending;
  scanned.hasAmpersand = hasAmpersand;
  return undefined;
}

function scanLoaded(document: Uint8Array | string): string | undefined {
  let expected = scanDocument() === REFUSED ? expectation : undefined;
  // A string that was encoded here is UTF-8.
  if (expected === undefined && !isAllAscii && typeof document !== 'string' && !isUtf8(document)) {
    expected = 'UTF-8';
    refusedAt = invalidUtf8At(input, inputLength);
  }
  if (expected === undefined) return undefined;
  return `at byte ${refusedAt}: expected ${expected}, found ${foundAt(input, refusedAt, inputLength, shown)}`;
}

function begin(root: string): void {
  scanned.serial++;
  scanned.count = 0;
  fieldOf.fill(-1);
  textEnd = PAIRS_START;
  asideEnd = ASIDE_START;
  fieldCount = 0;
  isAscending = true;
  previousName = UNDOCUMENTED;
  isAllAscii = true;
  hasAmpersand = false;
  shown = MARKUP_SHOWN;
  if (root !== rootName) {
    rootName = root;
    openTag = `<${root}>`;
    closeTag = `</${root}>`;
  }
}

/** Copies the document into the input. Returns what is wrong with it as a whole, if anything is. */
function load(document: Uint8Array | string): string | undefined {
  if (typeof document === 'string') {
    const loneSurrogate = /\p{Surrogate}/u.exec(document);
    if (loneSurrogate !== null) {
      const at = Buffer.byteLength(document.slice(0, loneSurrogate.index));
      return `at byte ${at}: expected Unicode text, found a lone surrogate`;
    }
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
  // Between fields one looks a byte further: what it says must not depend on the document before.
  input[inputLength + 1] = 0;
  return undefined;
}

function scanDocument(): number {
  const root = scanProlog();
  if (root === REFUSED) return REFUSED;
  if (!follows(root, openTag)) return refuse(root, openTag);
  let next = skipWhiteSpace(root + openTag.length);
  while (input[next + 1] !== SLASH) {
    next = scanField(next);
    if (next === REFUSED) return REFUSED;
    next = skipWhiteSpace(next);
  }
  if (!follows(next, closeTag)) return refuse(next, `a field or ${closeTag}`);
  next = skipWhiteSpace(next + closeTag.length);
  return next === inputLength ? next : refuse(next, 'nothing more');
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
  const start = textEnd;
  let name = followers[previousName + 1]!;
  let next = scanExpectedName(at + 1, name, start);
  if (next === REFUSED) {
    next = scanName(at + 1, start);
    if (next - at - 1 > MAX_NAME_LENGTH) return refuse(at, `a name of at most ${MAX_NAME_LENGTH} characters`);
    name = documentedName(text, start, start + next - at - 1);
    if (name !== UNDOCUMENTED) followers[previousName + 1] = name;
  }
  const nameEnd = start + next - at - 1;
  const valueStart = nameEnd + 1;
  text[nameEnd] = EQUALS;
  textEnd = valueStart;
  isAscii = true;

  if (input[next] === GREATER_THAN) {
    next = scanValue(next + 1);
    if (next === REFUSED) return REFUSED;
    if (!isCloseTag(next, name, start, nameEnd)) return refuseCloseTag(next, start, nameEnd);
    next += CLOSE_TAG_OPEN.length + nameEnd - start + 1;
  } else {
    if (input[next] !== SLASH || input[next + 1] !== GREATER_THAN)
      return refuseInside(next, '> or /> right behind the name');
    next += 2;
  }

  const field = fieldCount * NUMBERS_PER_FIELD;
  numbers[field + START] = start;
  numbers[field + VALUE_START] = valueStart;
  numbers[field + END] = textEnd;
  numbers[field + NAME] = name;
  numbers[field + NOT_ASCII] = isAscii ? 0 : 1;
  if (!isAscii) isAllAscii = false;
  // The documented names are listed in ascending order.
  if (isAscending && name > previousName && previousName !== UNDOCUMENTED) order[fieldCount] = field;
  else if (insertInOrder(field) === REFUSED) return refuse(at, `<${nameOf(field)}> only once`);
  fieldCount++;
  previousName = name;
  if (name !== UNDOCUMENTED) fieldOf[name] = field;
  if (name === SIGN || textEnd === valueStart) setAside(field);
  else text[textEnd++] = AMPERSAND;
  return next;
}

/** A documented name, if it is this one that follows. Copies it as it compares. */
function scanExpectedName(at: number, name: number, end: number): number {
  const spelling = name * NUMBERS_PER_SPELLING;
  const last = SPELLING_WORDS[spelling]!;
  let word = SPELLING_WORDS[spelling + 1]!;
  if (inputWords.getInt32(at + last, true) !== word) return REFUSED;
  textWords.setInt32(end + last, word, true);
  for (let i = 0, slot = spelling + 2; i < last; i += 4, slot++) {
    word = SPELLING_WORDS[slot]!;
    if (inputWords.getInt32(at + i, true) !== word) return REFUSED;
    textWords.setInt32(end + i, word, true);
  }
  const next = at + last + 4;
  return IS_NAME_PART[input[next]!] === 0 ? next : REFUSED;
}

function scanName(at: number, end: number): number {
  let next = at;
  for (;;) {
    const byte = input[next]!;
    if (IS_NAME_PART[byte] === 0) return next;
    text[end + next - at] = byte;
    next++;
  }
}

/** Text and CDATA sections, in any number and order, up to a close tag. */
function scanValue(at: number): number {
  let next = at;
  let end = textEnd;
  for (;;) {
    if (input[next] === LESS_THAN) {
      if (input[next + 1] === SLASH) break;
      if (!isCdataOpen(next)) return refuseInside(next, 'text, a CDATA section or a close tag');
      const from = next + CDATA_OPEN.length;
      const to = scanCharacters(from, end - from, true);
      if (to === REFUSED) return REFUSED;
      end += to - from;
      next = to + CDATA_CLOSE.length;
    } else if (input[next] === AMPERSAND) {
      textEnd = end;
      next = scanReference(next);
      if (next === REFUSED) return REFUSED;
      end = textEnd;
    } else {
      const to = scanCharacters(next, end - next, false);
      if (to === REFUSED) return REFUSED;
      end += to - next;
      next = to;
    }
  }
  textEnd = end;
  return next;
}

/**
 * Up to the end of the CDATA section, or in text up to markup or a reference. Copies what it passes, `distance` bytes
 * further on in the text.
 */
function scanCharacters(at: number, distance: number, inCdata: boolean): number {
  let next = at;
  let bits = 0;
  for (;;) {
    let word = inputWords.getInt32(next, true);
    let marks = special(word);
    while (marks === 0) {
      textWords.setInt32(next + distance, word, true);
      bits |= word;
      next += 4;
      word = inputWords.getInt32(next, true);
      marks = special(word);
    }
    // Whole, although only what stands before the special byte is wanted: what comes next is written over the rest.
    textWords.setInt32(next + distance, word, true);
    const below = (marks & -marks) - 1;
    bits |= word & (below >>> 7);
    next += (31 - Math.clz32(marks & -marks)) >> 3;
    const byte = input[next]!;
    if (
      byte === LESS_THAN
        ? !inCdata
        : byte === RIGHT_BRACKET
          ? inCdata && isCdataClose(next)
          : byte === AMPERSAND && !inCdata
    ) {
      if ((bits & NOT_ASCII_BITS) !== 0) isAscii = false;
      return next;
    }
    if (byte === AMPERSAND) hasAmpersand = true;
    else if (byte === RIGHT_BRACKET) {
      if (isCdataClose(next)) return refuse(next, `no ${CDATA_CLOSE} in text`);
    } else if (byte !== LESS_THAN && !isAllowed(next)) {
      return refuseCharacter(next, inCdata ? CDATA_CLOSE : 'a close tag');
    }
    text[next + distance] = byte;
    bits |= byte;
    next++;
  }
}

/**
 * Zero if none of four bytes needs a second look. Otherwise the lowest bit set is the highest of the first byte that
 * does: further ones may be marked in error, by a borrow.
 */
function special(word: number): number {
  const controls = (word - 0x20202020) & ~word;
  const ampersands = zeros(word ^ 0x26262626);
  const lessThans = zeros(word ^ 0x3c3c3c3c);
  const brackets = zeros(word ^ 0x5d5d5d5d);
  const leads = zeros(word ^ 0xefefefef);
  return (controls | ampersands | lessThans | brackets | leads) & NOT_ASCII_BITS;
}

/** Sets the highest bit of each byte that is 0. May set it in bytes above such a one as well. */
function zeros(word: number): number {
  return (word - 0x01010101) & ~word;
}

/** Whether `</name>` follows, where the name stands in the text and, if it is a documented one, in the table. */
function isCloseTag(at: number, name: number, nameStart: number, nameEnd: number): boolean {
  const next = at + CLOSE_TAG_OPEN.length;
  if (input[next + nameEnd - nameStart] !== GREATER_THAN) return false;
  if (name === UNDOCUMENTED) {
    for (let i = nameStart; i < nameEnd; i++) if (input[next + i - nameStart] !== text[i]) return false;
    return true;
  }
  const spelling = name * NUMBERS_PER_SPELLING;
  const last = SPELLING_WORDS[spelling]!;
  if (inputWords.getInt32(next + last, true) !== SPELLING_WORDS[spelling + 1]) return false;
  for (let i = 0, slot = spelling + 2; i < last; i += 4, slot++) {
    if (inputWords.getInt32(next + i, true) !== SPELLING_WORDS[slot]) return false;
  }
  return true;
}

/** Puts the last field read where it belongs among the others. {@link REFUSED} if one of them has its name. */
function insertInOrder(field: number): number {
  let low = 0;
  let high = fieldCount;
  while (low < high) {
    // The last one is compared first: nearly always the new name is greater.
    const middle = high === fieldCount ? high - 1 : (low + high) >> 1;
    const difference = compareNames(field, order[middle]!);
    if (difference === 0) return REFUSED;
    if (difference < 0) high = middle;
    else low = middle + 1;
  }
  if (low < fieldCount) {
    isAscending = false;
    order.copyWithin(low + 1, low, fieldCount);
  }
  order[low] = field;
  return low;
}

/** Moves the last field read out of the string to sign. */
function setAside(field: number): void {
  const start = numbers[field + START]!;
  const distance = asideEnd - start;
  // `sign` is short, and to call into copyWithin costs more than this.
  if (distance > 0 && textEnd - start < 128) for (let i = start; i < textEnd; i++) text[i + distance] = text[i]!;
  else text.copyWithin(asideEnd, start, textEnd);
  asideEnd += textEnd - start;
  textEnd = start;
  numbers[field + START]! += distance;
  numbers[field + VALUE_START]! += distance;
  numbers[field + END]! += distance;
}

/** `&amp;` and its four siblings, or a character by its number: `&#38;`, `&#x26;`. */
function scanReference(at: number): number {
  switch (input[at + 1]) {
    case HASH:
      return scanCharacterReference(at);
    case LOWER_L:
      return scanEntity(at, '&lt;', LESS_THAN);
    case LOWER_G:
      return scanEntity(at, '&gt;', GREATER_THAN);
    case LOWER_Q:
      return scanEntity(at, '&quot;', QUOTATION_MARK);
    default:
      return input[at + 2] === LOWER_P ? scanEntity(at, '&apos;', APOSTROPHE) : scanEntity(at, '&amp;', AMPERSAND);
  }
}

function scanEntity(at: number, spelling: string, character: number): number {
  if (!follows(at, spelling)) return refuse(at, '&amp;, &lt;, &gt;, &quot;, &apos; or a character reference');
  appendCodePoint(character);
  return at + spelling.length;
}

function scanCharacterReference(at: number): number {
  const base = input[at + 2] === LOWER_X ? 16 : 10;
  let next = at + (base === 16 ? 3 : 2);
  let codePoint = 0;
  for (;;) {
    const digit = DIGIT[input[next]!]!;
    if (digit >= base) break;
    // Beyond the last character it stays beyond it, however many digits follow.
    if (codePoint < 0x11_0000) codePoint = codePoint * base + digit;
    next++;
  }
  // Without digits it is 0, which is no character.
  if (input[next] !== SEMICOLON || !isXmlCharacter(codePoint)) {
    return refuse(at, 'a reference to a character that XML allows');
  }
  appendCodePoint(codePoint);
  return next + 1;
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

/** {@link follows} for `<![CDATA[`: it is asked for each field. */
function isCdataOpen(at: number): boolean {
  return (
    inputWords.getInt32(at) === 0x3c_21_5b_43 && // <![C
    inputWords.getInt32(at + 4) === 0x44_41_54_41 && // DATA
    input[at + 8] === 0x5b
  );
}

function isCdataClose(at: number): boolean {
  return input[at] === RIGHT_BRACKET && input[at + 1] === RIGHT_BRACKET && input[at + 2] === GREATER_THAN;
}

/** Whether the byte, one that XML may forbid, is part of a character like any other. */
function isAllowed(at: number): boolean {
  const byte = input[at]!;
  if (byte !== LEAD_BYTE_EF) return isXmlCharacter(byte);
  return input[at + 1] !== 0xbf || input[at + 2]! < 0xbe;
}

/** Writes a character in UTF-8. */
function appendCodePoint(codePoint: number): void {
  if (codePoint < 0x80) {
    if (codePoint === AMPERSAND) hasAmpersand = true;
    text[textEnd++] = codePoint;
    return;
  }
  isAscii = false;
  if (codePoint < 0x800) {
    text[textEnd++] = 0xc0 | (codePoint >> 6);
  } else {
    if (codePoint < 0x1_0000) {
      text[textEnd++] = 0xe0 | (codePoint >> 12);
    } else {
      text[textEnd++] = 0xf0 | (codePoint >> 18);
      text[textEnd++] = 0x80 | ((codePoint >> 12) & 0x3f);
    }
    text[textEnd++] = 0x80 | ((codePoint >> 6) & 0x3f);
  }
  text[textEnd++] = 0x80 | (codePoint & 0x3f);
}

function refuse(at: number, expected: string): number {
  refusedAt = at;
  expectation = expected;
  return REFUSED;
}

/** Where a value is or may have begun: what looks like a tag there can be part of it. */
function refuseInside(at: number, expected: string): number {
  refuse(at, expected);
  shown = 1;
  return REFUSED;
}

/** Refuses a forbidden character, or the end of the document where `missing` is missing. */
function refuseCharacter(at: number, missing: string): number {
  return refuse(at, at < inputLength ? 'a character that XML allows' : missing);
}

function refuseCloseTag(at: number, nameStart: number, nameEnd: number): number {
  return refuse(at, `</${text.toString('latin1', nameStart, nameEnd)}>`);
}
