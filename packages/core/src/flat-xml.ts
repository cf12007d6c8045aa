import { DOCUMENTED_NAMES, UNDOCUMENTED } from './field-name.js';

/** Where the value of a field begins in the text. Its name begins behind the field before it. */
export const VALUE_START = 0;
/** Where the value ends. */
export const END = 1;
/** The index of the name in {@link DOCUMENTED_NAMES}, or {@link UNDOCUMENTED}. */
export const NAME = 2;
/** 0 if every byte of the value is ASCII. */
export const NOT_ASCII = 3;
/** How many numbers describe one field: the four above. */
export const NUMBERS_PER_FIELD = 4;

/** V8 fills one of these in half the time of `Object.create(null)`, which it makes a hash table from the start. */
class FieldRecord {}

function emptyRecord(): Record<string, string> {
  return Object.setPrototypeOf(new FieldRecord(), null) as Record<string, string>;
}

/**
 * A flat document that was read to its end: unique names, exact values.
 *
 * It shares nothing with the scanner, so it stays valid when the next document is read; and it decodes nothing
 * before it is asked, so that a forged message costs little.
 */
export class FlatXml {
  readonly ok = true;
  /** `name=value&` for every field in the order of the document, one character (U+0000–U+00FF) for each UTF-8 byte. */
  readonly #text: string;
  readonly #numbers: readonly number[];
  /** The fields in ascending order of their names; `undefined` if the document has them so, as WeChat Pay's do. */
  readonly #order: readonly number[] | undefined;

  constructor(text: string, numbers: readonly number[], order: readonly number[] | undefined) {
    this.#text = text;
    this.#numbers = numbers;
    this.#order = order;
  }

  /** The value of one field. */
  get(name: string): string | undefined {
    for (let field = 0; field < this.#numbers.length; field += NUMBERS_PER_FIELD) {
      if (this.#isNamed(field, name)) return this.#value(field);
    }
    return undefined;
  }

  /** Every field in the order of the document, in a record without a prototype: its keys are names of the document. */
  toRecord(): Record<string, string> {
    const record = emptyRecord();
    for (let field = 0; field < this.#numbers.length; field += NUMBERS_PER_FIELD) {
      record[this.#name(field)] = this.#value(field);
    }
    return record;
  }

  /**
   * `name=value&` for each field that has a value, in ascending order of the names, without the field `omitted`.
   * One character (U+0000–U+00FF) for each UTF-8 byte.
   */
  pairs(omitted: string): string {
    return this.#order === undefined ? this.#pairsInPlace(omitted) : this.#pairsInOrder(this.#order, omitted);
  }

  /** The text is in order: what stays is taken in whole stretches. */
  #pairsInPlace(omitted: string): string {
    let pairs = '';
    let stretch = 0;
    for (let field = 0; field < this.#numbers.length; field += NUMBERS_PER_FIELD) {
      if (this.#isEmpty(field) || this.#isNamed(field, omitted)) {
        pairs += this.#text.slice(stretch, this.#start(field));
        stretch = this.#end(field) + 1;
      }
    }
    return pairs + this.#text.slice(stretch);
  }

  #pairsInOrder(order: readonly number[], omitted: string): string {
    let pairs = '';
    for (const field of order) {
      if (this.#isEmpty(field) || this.#isNamed(field, omitted)) continue;
      pairs += this.#text.slice(this.#start(field), this.#end(field) + 1);
    }
    return pairs;
  }

  #start(field: number): number {
    return field === 0 ? 0 : this.#end(field - NUMBERS_PER_FIELD) + 1;
  }

  #valueStart(field: number): number {
    return this.#numbers[field + VALUE_START]!;
  }

  #end(field: number): number {
    return this.#numbers[field + END]!;
  }

  #isEmpty(field: number): boolean {
    return this.#valueStart(field) === this.#end(field);
  }

  #isNamed(field: number, name: string): boolean {
    const start = this.#start(field);
    return this.#valueStart(field) - start === name.length + 1 && this.#text.startsWith(name, start);
  }

  #name(field: number): string {
    const index = this.#numbers[field + NAME]!;
    if (index !== UNDOCUMENTED) return DOCUMENTED_NAMES[index]!;
    return this.#text.slice(this.#start(field), this.#valueStart(field) - 1);
  }

  #value(field: number): string {
    const value = this.#text.slice(this.#valueStart(field), this.#end(field));
    return this.#numbers[field + NOT_ASCII] === 0 ? value : Buffer.from(value, 'latin1').toString('utf8');
  }
}
