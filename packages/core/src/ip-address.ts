/**
 * One IP address in canonical form: two spellings of the same address have the same `text`.
 * An IPv4-mapped IPv6 address (`::ffff:1.2.3.4`) is the IPv4 address it holds.
 */
export type IpAddress = Ipv4Address | Ipv6Address;

export interface Ipv4Address {
  readonly family: 4;
  /** Dotted quad. */
  readonly text: string;
  /** The 32 bits as a number from 0 to 4294967295. */
  readonly bits: number;
}

export interface Ipv6Address {
  readonly family: 6;
  /** RFC 5952: lower case, the longest run of zero groups as `::`, no zone. */
  readonly text: string;
  /** Eight groups of 16 bits. */
  readonly groups: readonly number[];
}

/** No address with its brackets, zone and port is longer. A longer text is refused before it is read. */
const MAX_TEXT = 64;
const ZONE = /^[A-Za-z0-9._-]{1,16}$/;
const PORT = /^:\d{1,5}$/;

const DOT = 0x2e;
const COLON = 0x3a;
const ZERO = 0x30;

/**
 * Parses one bare address: strict dotted quad (four decimal numbers without leading zeros; none of the
 * `inet_aton` spellings) or RFC 4291 text. A zone is allowed on a link-local address (fe80::/10) only, and
 * dropped. Returns `undefined` for anything else: no white space, port or brackets.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (text.length > MAX_TEXT) return undefined;
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/**
 * Parses an address as proxies write it into a header: `1.2.3.4`, `1.2.3.4:5678`, `2001:db8::1`,
 * `[2001:db8::1]` or `[2001:db8::1]:5678`. The port (0 to 65535) is dropped.
 */
export function parseIpAndPort(text: string): IpAddress | undefined {
  if (text.length > MAX_TEXT) return undefined;
  if (text.startsWith('[')) {
    const close = text.indexOf(']');
    return close > 0 && isPortOrNothing(text.slice(close + 1)) ? parseIpv6(text.slice(1, close)) : undefined;
  }
  const colon = text.indexOf(':');
  const isIpv6 = colon >= 0 && text.includes(':', colon + 1);
  if (colon < 0 || isIpv6) return parseIpAddress(text);
  return isPortOrNothing(text.slice(colon)) ? parseIpv4(text.slice(0, colon)) : undefined;
}

function isPortOrNothing(text: string): boolean {
  return text === '' || (PORT.test(text) && Number(text.slice(1)) <= 65535);
}

/** `0.0.0.0` and `::` are well-formed, but nobody's address. */
export function isUnspecified(address: IpAddress): boolean {
  return address.text === '0.0.0.0' || address.text === '::';
}

/** The address of 32 bits; `bits` as in {@link Ipv4Address}. */
export function ipv4FromBits(bits: number): Ipv4Address {
  return { family: 4, text: `${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`, bits };
}

/** The address of eight groups; IPv4-mapped groups become IPv4. */
export function ipFromGroups(groups: readonly number[]): IpAddress {
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  return isMapped ? ipv4FromBits(lastBits(groups)) : { family: 6, text: formatGroups(groups), groups };
}

/**
 * The IPv4 address inside an address of NAT64's well-known prefix 64:ff9b::/96 (RFC 6052): another spelling of an
 * IPv4 host for servers that have only IPv6.
 */
export function nat64Address(address: IpAddress): Ipv4Address | undefined {
  if (address.family === 4) return undefined;
  const { groups } = address;
  const isWellKnown = groups[0] === 0x64 && groups[1] === 0xff9b && groups.slice(2, 6).every((group) => group === 0);
  const bits = lastBits(groups);
  return isWellKnown && bits !== 0 ? ipv4FromBits(bits) : undefined;
}

function parseIpv4(text: string): Ipv4Address | undefined {
  const bits = ipv4Bits(text);
  // Without leading zeros an address has one spelling: what was read is canonical.
  return bits === undefined ? undefined : { family: 4, text, bits };
}

function ipv4Bits(text: string): number | undefined {
  let bits = 0;
  let dots = 0;
  let octet = -1; // no digit yet
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      if (octet < 0 || ++dots > 3) return undefined;
      bits = bits * 256 + octet;
      octet = -1;
      continue;
    }
    const digit = code - ZERO;
    if (digit < 0 || digit > 9 || octet === 0) return undefined;
    octet = octet < 0 ? digit : octet * 10 + digit;
    if (octet > 255) return undefined;
  }
  return dots === 3 && octet >= 0 ? bits * 256 + octet : undefined;
}

function parseIpv6(text: string): IpAddress | undefined {
  const percent = text.indexOf('%');
  if (percent < 0) {
    const groups = ipv6Groups(text);
    return groups && ipFromGroups(groups);
  }
  const groups = ipv6Groups(text.slice(0, percent));
  const isLinkLocal = groups !== undefined && (groups[0]! & 0xffc0) === 0xfe80;
  return isLinkLocal && ZONE.test(text.slice(percent + 1)) ? ipFromGroups(groups) : undefined;
}

/** One pass over RFC 4291 text: hexadecimal groups, at most one `::`, and the last 32 bits possibly as a dotted quad. */
function ipv6Groups(text: string): number[] | undefined {
  const groups: number[] = [];
  let gap = -1; // where `::` stood
  let at = 0;
  if (text.startsWith('::')) {
    gap = 0;
    at = 2;
  }
  while (at < text.length) {
    const start = at;
    let group = 0;
    for (let digit; at < text.length && (digit = hexDigit(text.charCodeAt(at))) >= 0; at++) group = group * 16 + digit;
    if (text.charCodeAt(at) === DOT) {
      const bits = ipv4Bits(text.slice(start));
      if (bits === undefined) return undefined;
      groups.push(bits >>> 16, bits & 0xffff);
      break;
    }
    if (at === start || at - start > 4) return undefined;
    groups.push(group);
    if (at === text.length) break;
    if (text.charCodeAt(at) !== COLON || ++at === text.length) return undefined;
    if (text.charCodeAt(at) === COLON) {
      if (gap >= 0) return undefined;
      gap = groups.length;
      at++;
    }
  }
  if (gap < 0) return groups.length === 8 ? groups : undefined;
  if (groups.length > 7) return undefined; // `::` stands for one group at least
  return [...groups.slice(0, gap), ...Array<number>(8 - groups.length).fill(0), ...groups.slice(gap)];
}

function hexDigit(code: number): number {
  if (code >= ZERO && code <= ZERO + 9) return code - ZERO;
  const letter = code | 0x20; // lower case
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}

function lastBits(groups: readonly number[]): number {
  return groups[6]! * 0x10000 + groups[7]!;
}

function formatGroups(groups: readonly number[]): string {
  // RFC 5952 §4.2: `::` for the longest run of at least two zero groups, the first one of equals.
  let start = 0;
  let length = 0;
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (groups[i + run] === 0) run++;
    if (run > length) {
      start = i;
      length = run;
    }
  }
  const hex = groups.map((group) => group.toString(16));
  return length < 2 ? hex.join(':') : `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}
