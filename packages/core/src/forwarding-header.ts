import { parseIpAndPort, type IpAddress } from './ip-address.js';

/** What nginx writes for a client on a UNIX socket. */
export const UNIX_ITEM = 'unix:';

/**
 * No item that a proxy writes is longer, RFC 7239's `host=` included. Of a longer one only the end is given out, with
 * an ellipsis that makes it no address, and nothing to the left of it is read: what a visitor sends must not decide
 * how much is read.
 */
const MAX_ITEM = 512;

const SPACE = 0x20;
const TAB = 0x09;
const COMMA = 0x2c;

/** The values of all lines with this name, first to last. `name` in lower case; `rawHeaders` as in Node. */
export function headerLines(rawHeaders: readonly string[], name: string): string[] {
  const lines: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (isNamed(rawHeaders[i]!, name)) lines.push(rawHeaders[i + 1]!);
  }
  return lines;
}

function isNamed(given: string, name: string): boolean {
  return given.length === name.length && (given === name || given.toLowerCase() === name);
}

/** Without the white space that HTTP allows around a value: spaces and tabs only (`trim` would take U+00A0 too). */
export function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

/**
 * Reads the items of a list header from the right, the last line first: the way proxies wrote them, newest first.
 * Reads no further to the left than it is asked to.
 */
export class ItemsFromTheRight {
  readonly #lines: readonly string[];
  #line: number;
  /** Where the unread part of the current line ends; -1 when nothing is left of it. */
  #end: number;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
    this.#line = lines.length - 1;
    this.#end = lines[this.#line]?.length ?? -1;
  }

  /** The next item without the white space around it, possibly empty, or `undefined` at the end. */
  next(): string | undefined {
    const line = this.#lines[this.#line];
    if (line === undefined) return undefined;
    let end = this.#end;
    while (end > 0 && isBlank(line.charCodeAt(end - 1))) end--;
    const limit = Math.max(0, end - MAX_ITEM);
    let start = end;
    // Split at every comma, inside quotes too: a visitor's unbalanced quote cannot swallow what a proxy appended.
    while (start > limit && line.charCodeAt(start - 1) !== COMMA) start--;

    if (start > 0) {
      if (line.charCodeAt(start - 1) !== COMMA) {
        this.#line = -1;
        return `…${line.slice(start, end)}`;
      }
      this.#end = start - 1;
    } else {
      this.#line -= 1;
      this.#end = this.#lines[this.#line]?.length ?? -1;
    }
    return trimmed(line.slice(start, end));
  }
}

const FORWARDED_PAIR = /([!#$%&'*+.^_`|~\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;\\=]+))/y;
const SEPARATOR = /[ \t]*(?:;[ \t]*)+|$/y;
const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;
const OBFUSCATED_PORT = /:_[\w.-]+$/;

/**
 * The `for=` of one element of RFC 7239's `Forwarded`, unquoted, or `undefined` when the element has none, has two,
 * or is malformed anywhere: a fragment of somebody's quoted text must not pass for an element.
 */
export function forwardedFor(element: string): string | undefined {
  let found: string | undefined;
  for (let at = 0; at < element.length;) {
    FORWARDED_PAIR.lastIndex = at;
    const pair = FORWARDED_PAIR.exec(element);
    if (!pair) return undefined;
    const [whole, name, quotedText, bareText] = pair;
    SEPARATOR.lastIndex = at + whole.length;
    const separator = SEPARATOR.exec(element);
    if (!separator) return undefined;
    at += whole.length + separator[0].length;
    if (name!.toLowerCase() !== 'for') continue;
    // A colon or a bracket makes it a quoted string (RFC 7239 §6): a bare one was not written by a proxy that knows it.
    if (found !== undefined || (bareText !== undefined && !TOKEN.test(bareText))) return undefined;
    found = quotedText === undefined ? bareText : quotedText.replace(/\\(.)/gs, '$1');
  }
  return found;
}

/** The address of a `for=`: IPv4, or IPv6 in brackets, and a port that may be obfuscated. */
export function parseForwardedNode(node: string): IpAddress | undefined {
  const isBareIpv6 = !node.startsWith('[') && node.indexOf(':') !== node.lastIndexOf(':');
  return isBareIpv6 ? undefined : parseIpAndPort(node.replace(OBFUSCATED_PORT, ''));
}
