import { DOCUMENTED_NAMES, indexOfName, UNDOCUMENTED, WRITER_OF } from './field-name.js';

/** The largest document that is read, in bytes. */
export const MAX_BYTES = 64 * 1024;
/** The most fields that a document may have. */
export const MAX_FIELDS = 128;

// What the scanner found in the document it read last. Documents are read one at a time and without a pause, so one
// store serves all; whoever comes back to a document after another was read has it read again.

/** Bytes kept free at the start of the text, for the padded key of an HMAC. */
export const PAIRS_START = 64;
/** Bytes kept free behind the pairs, for `key=` and the API key. */
export const KEY_ROOM = 128;
/** Where fields that are not signed begin in the text. */
export const ASIDE_START = PAIRS_START + MAX_BYTES + KEY_ROOM;

/**
 * What was read, decoded: `name=value&` for each field in the order of the document. If the names ascend, that is the
 * string to sign, but for the key. What is never signed, `sign` itself and empty fields, stands aside.
 */
export const text = Buffer.alloc(ASIDE_START + MAX_BYTES);
/** The text once more, for what is worth doing four bytes at a time. */
export const textWords = new DataView(text.buffer, text.byteOffset, text.length);

/** {@link NUMBERS_PER_FIELD} numbers for each field. Below, "a field" is the index of its first number. */
export const numbers = new Int32Array(5 * MAX_FIELDS);
export const NUMBERS_PER_FIELD = 5;
/** Where the name begins in the text. */
export const START = 0;
/** Where the value begins, behind the `=`. */
export const VALUE_START = 1;
/** Where the value ends. */
export const END = 2;
/** The index of the name in {@link DOCUMENTED_NAMES}, or {@link UNDOCUMENTED}. */
export const NAME = 3;
/** 0 if the value is ASCII. */
export const NOT_ASCII = 4;

/** The fields in ascending order of their names, byte by byte. */
export const order = new Int32Array(MAX_FIELDS);

/** For each documented name, the field that has it, or -1. */
export const fieldOf = new Int16Array(DOCUMENTED_NAMES.length);

export const scanned = {
  /** A new number for each document. */
  serial: 0,
  /** How many fields there are. */
  count: 0,
  /** Where the pairs end in the text. */
  pairsEnd: PAIRS_START,
  /** Where what stands aside ends in the text. */
  asideEnd: ASIDE_START,
  /** Whether the order of the document is ascending, as in everything that WeChat Pay sends. */
  isAscending: true,
  /** Whether any value contains `&`. */
  hasAmpersand: false,
};

/** V8 fills one of these in half the time of `Object.create(null)`, which it makes a hash table from the start. */
class Fields {}

/** Every field in the order of the document, in a record without a prototype: its keys are names of the document. */
export function scannedRecord(): Record<string, string> {
  const record = Object.setPrototypeOf(new Fields(), null) as Record<string, string>;
  // What stands aside is brought behind the pairs: to cut a value out of one string costs far less than to decode it.
  const aside = scanned.pairsEnd - ASIDE_START;
  text.copyWithin(scanned.pairsEnd, ASIDE_START, scanned.asideEnd);
  const all = text.toString('latin1', PAIRS_START, scanned.asideEnd + aside);
  const fieldsEnd = scanned.count * NUMBERS_PER_FIELD;
  for (let field = 0; field < fieldsEnd; field += NUMBERS_PER_FIELD) {
    const start = numbers[field + VALUE_START]!;
    const shift = (start < ASIDE_START ? 0 : aside) - PAIRS_START;
    const value =
      numbers[field + NOT_ASCII] === 0 ? all.slice(start + shift, numbers[field + END]! + shift) : valueOf(field);
    const documented = numbers[field + NAME]!;
    if (documented === UNDOCUMENTED) record[nameOf(field)] = value;
    else WRITER_OF[documented]!(record, value);
  }
  return record;
}

export function valueOf(field: number): string {
  const encoding = numbers[field + NOT_ASCII] === 0 ? 'latin1' : 'utf8';
  return text.toString(encoding, numbers[field + VALUE_START], numbers[field + END]);
}

/** Whether the value of a field is this one, without making a string of it. */
export function hasValue(field: number, ascii: string): boolean {
  const start = numbers[field + VALUE_START]!;
  if (numbers[field + END]! - start !== ascii.length) return false;
  for (let i = 0; i < ascii.length; i++) {
    if (text[start + i] !== ascii.charCodeAt(i)) return false;
  }
  return true;
}

/** How many bytes the value of a field has; -1 if one is not in the alphabet, or the first one not in `first`. */
export function lengthIn(field: number, alphabet: Uint8Array, first: Uint8Array): number {
  const start = numbers[field + VALUE_START]!;
  const end = numbers[field + END]!;
  if (start === end) return 0;
  if (first[text[start]!] !== 1) return -1;
  for (let i = start + 1; i < end; i++) if (alphabet[text[i]!] !== 1) return -1;
  return end - start;
}

export function nameOf(field: number): string {
  const documented = numbers[field + NAME]!;
  if (documented !== UNDOCUMENTED) return DOCUMENTED_NAMES[documented]!;
  return text.toString('latin1', numbers[field + START], numbers[field + VALUE_START]! - 1);
}

/** The field with this name, or -1. */
export function findField(name: string): number {
  const documented = indexOfName(name);
  if (documented !== UNDOCUMENTED) return fieldOf[documented]!;
  const fieldsEnd = scanned.count * NUMBERS_PER_FIELD;
  for (let field = 0; field < fieldsEnd; field += NUMBERS_PER_FIELD) {
    if (numbers[field + NAME] === UNDOCUMENTED && nameOf(field) === name) return field;
  }
  return -1;
}

/** Below, at or above zero as the name of the first field is less than, equal to or greater than that of the second. */
export function compareNames(field: number, other: number): number {
  const documented = numbers[field + NAME]!;
  const otherDocumented = numbers[other + NAME]!;
  if (documented !== UNDOCUMENTED && otherDocumented !== UNDOCUMENTED) return documented - otherDocumented;
  const start = numbers[field + START]!;
  const otherStart = numbers[other + START]!;
  const length = numbers[field + VALUE_START]! - 1 - start;
  const otherLength = numbers[other + VALUE_START]! - 1 - otherStart;
  const common = Math.min(length, otherLength);
  let i = 0;
  while (i + 4 <= common && textWords.getInt32(start + i) === textWords.getInt32(otherStart + i)) i += 4;
  for (; i < common; i++) {
    const difference = text[start + i]! - text[otherStart + i]!;
    if (difference !== 0) return difference;
  }
  return length - otherLength;
}

/** Copies the pairs in ascending order to the same place in `target`. Returns where they end there. */
export function copyPairsInOrder(target: Buffer, targetWords: DataView): number {
  let end = PAIRS_START;
  for (let i = 0; i < scanned.count; i++) {
    const field = order[i]!;
    const start = numbers[field + START]!;
    if (start >= ASIDE_START) continue;
    const length = numbers[field + END]! + 1 - start;
    // A call into copy costs as much as some hundred bytes. The last word may be longer than the pair: the next pair is
    // written over the rest.
    if (length > 256) text.copy(target, end, start, start + length);
    else for (let at = 0; at < length; at += 4) targetWords.setInt32(end + at, textWords.getInt32(start + at));
    end += length;
  }
  return end;
}
