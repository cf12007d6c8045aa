import { DOCUMENTED_NAMES, INDEX_OF_NAME, UNDOCUMENTED } from './field-name.js';

/** The largest document that is read, in bytes. */
export const MAX_BYTES = 64 * 1024;
/** The most fields that a document may have. */
export const MAX_FIELDS = 128;

// The fields of the document that the scanner read last. One document is read at a time and without a pause, so
// one store serves all; whoever comes back to a document later has it read again.

/** Bytes kept free at the start of the text, for the padded key of an HMAC. */
export const PAIRS_START = 64;
/** Bytes kept free behind the pairs, for `key=` and the API key. */
export const KEY_ROOM = 128;
/** Where fields that are not signed begin in the text. */
export const ASIDE_START = PAIRS_START + MAX_BYTES + KEY_ROOM;

/**
 * What was read, decoded: `name=value&` for each field that has a value, in the order of the document; when the
 * names ascend, that is the string to sign but for the key. Fields that are never signed, `sign` itself and empty
 * ones, stand aside.
 */
export const text = Buffer.alloc(ASIDE_START + MAX_BYTES);

/** The five numbers that describe a field. A field is known by the index of its first number. */
export const numbers = new Array<number>(5 * MAX_FIELDS).fill(0);
export const NUMBERS_PER_FIELD = 5;
/** Where the name begins in the text. */
export const START = 0;
/** Where the value begins, behind the `=`. */
export const VALUE_START = 1;
/** Where the value ends. */
export const END = 2;
/** The index of the name in {@link DOCUMENTED_NAMES}, or {@link UNDOCUMENTED}. */
export const NAME = 3;
/** 0 if every byte of the value is ASCII. */
export const NOT_ASCII = 4;

export const scanned = {
  /** Another number for every document that is read. */
  serial: 0,
  /** How many fields there are. */
  count: 0,
  /** Where the pairs end in the text. */
  pairsEnd: PAIRS_START,
  /** Whether the names ascend byte by byte, as in everything that WeChat Pay sends. Then no name comes twice. */
  isAscending: true,
};

/** V8 fills one of these in half the time of `Object.create(null)`, which it makes a hash table from the start. */
class Fields {}

/** Every field in the order of the document, in a record without a prototype: its keys are names of the document. */
export function scannedRecord(): Record<string, string> {
  const record = Object.setPrototypeOf(new Fields(), null) as Record<string, string>;
  const pairs = text.toString('latin1', PAIRS_START, scanned.pairsEnd);
  for (let field = 0; field < scanned.count * NUMBERS_PER_FIELD; field += NUMBERS_PER_FIELD) {
    record[nameOf(field)] = valueOf(field, pairs);
  }
  return record;
}

/** The value of one field. */
export function scannedValue(name: string): string | undefined {
  const field = findField(name);
  return field === -1 ? undefined : valueOf(field);
}

export function valueOf(field: number, pairs?: string): string {
  const start = numbers[field + VALUE_START]!;
  const end = numbers[field + END]!;
  if (start === end) return '';
  if (numbers[field + NOT_ASCII] !== 0) return text.toString('utf8', start, end);
  if (pairs === undefined || start >= ASIDE_START) return text.toString('latin1', start, end);
  return pairs.slice(start - PAIRS_START, end - PAIRS_START);
}

export function nameOf(field: number): string {
  const index = numbers[field + NAME]!;
  if (index !== UNDOCUMENTED) return DOCUMENTED_NAMES[index]!;
  return text.toString('latin1', numbers[field + START], numbers[field + VALUE_START]! - 1);
}

/** The field whose name is documented with this index, or -1. */
export function findDocumented(name: number): number {
  for (let field = 0; field < scanned.count * NUMBERS_PER_FIELD; field += NUMBERS_PER_FIELD) {
    if (numbers[field + NAME] === name) return field;
  }
  return -1;
}

function findField(name: string): number {
  const documented = INDEX_OF_NAME.get(name);
  if (documented !== undefined) return findDocumented(documented);
  for (let field = 0; field < scanned.count * NUMBERS_PER_FIELD; field += NUMBERS_PER_FIELD) {
    if (numbers[field + NAME] === UNDOCUMENTED && nameOf(field) === name) return field;
  }
  return -1;
}

/** Below, at or above zero as the name of the first field is less than, equal to or greater than that of the second. */
export function compareFields(field: number, other: number): number {
  const name = numbers[field + NAME]!;
  const otherName = numbers[other + NAME]!;
  // The documented names are listed in ascending order.
  if (name !== UNDOCUMENTED && otherName !== UNDOCUMENTED) return name - otherName;
  const start = numbers[field + START]!;
  const otherStart = numbers[other + START]!;
  const length = numbers[field + VALUE_START]! - 1 - start;
  const otherLength = numbers[other + VALUE_START]! - 1 - otherStart;
  for (let i = 0; i < length && i < otherLength; i++) {
    const difference = text[start + i]! - text[otherStart + i]!;
    if (difference !== 0) return difference;
  }
  return length - otherLength;
}

/** The fields in ascending order of their names. */
export function sortedFields(): number[] {
  return Array.from({ length: scanned.count }, (_, index) => index * NUMBERS_PER_FIELD).sort(compareFields);
}

/** The pairs in ascending order, one character (U+0000–U+00FF) for each byte. */
export function sortedPairs(): string {
  const pairs = text.toString('latin1', PAIRS_START, scanned.pairsEnd);
  let sorted = '';
  for (const field of sortedFields()) {
    const start = numbers[field + START]!;
    if (start < ASIDE_START) sorted += pairs.slice(start - PAIRS_START, numbers[field + END]! + 1 - PAIRS_START);
  }
  return sorted;
}
