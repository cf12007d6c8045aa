import proxyAddr from 'proxy-addr';
import type { IpAddress } from './ip-address.js';
import { parseTrustEntry } from './trust-range.js';

/** Express's compiled `trust proxy`: `hop` 0 is the peer, 1 the header's last entry, and so on to the left. */
export type TrustFunction = (address: string, hop: number) => boolean;

/** Who is believed. Hop 0 is the peer, 1 the header's last entry, and so on to the left. */
export interface TrustedProxies {
  /** Trusted for its place alone: what stands there need not even be an address. */
  trustsPlace(hop: number): boolean;
  /** `undefined` is the far end of a UNIX socket, which has no address. */
  trusts(address: IpAddress | undefined, hop: number): boolean;
}

/** `hops` proxies stand in front of the application, whatever their addresses. */
export function trustHops(hops: number): TrustedProxies {
  return { trustsPlace: (hop) => hop < hops, trusts: (_address, hop) => hop < hops };
}

/** Whomever the application's own function trusts. It sees a UNIX socket as the empty string. */
export function trustByFunction(trusts: TrustFunction): TrustedProxies {
  // Exactly `true`: the promise of an async function would be truthy for everybody.
  return { trustsPlace: () => false, trusts: (address, hop) => trusts(address?.text ?? '', hop) === true };
}

/** Whether a function trusts everybody, as Express's does for `true`: asked for nobody's address, out of any count. */
export function trustsEverybody(trusts: TrustFunction): boolean {
  return trusts('255.255.255.255', Number.MAX_SAFE_INTEGER) === true;
}

/**
 * The listed proxies.
 * @param option the list's name, for messages
 * @throws WechatH5Error TRUST_INVALID, TRUST_ALL for a wrong entry
 */
export function trustList(entries: readonly unknown[], option = 'clientIp.trust'): TrustedProxies {
  const trustsUnix = entries.includes('unix');

  // proxy-addr's matcher parses the address anew and then tries one range after the other. Sorted by leading octet,
  // most payers' addresses, which are in no range at all, never come to it. That IPv4 and IPv6 share an octet's list
  // does no harm: it tells them apart.
  const rangesByOctet = new Map<number, string[]>();
  // Of a range as wide as 10.0.0.0/8 the leading octet says all.
  const wholeOctets = { 4: new Set<number>(), 6: new Set<number>() };
  for (const { network, prefix } of entries.flatMap((entry, i) => parseTrustEntry(entry, `${option}[${i}]`))) {
    const first = leadingOctet(network);
    const last = first + (prefix < 8 ? 2 ** (8 - prefix) - 1 : 0);
    for (let octet = first; octet <= last; octet++) {
      if (prefix <= 8) wholeOctets[network.family].add(octet);
      rangesByOctet.set(octet, [...(rangesByOctet.get(octet) ?? []), `${network.text}/${prefix}`]);
    }
  }
  const matchers = new Map([...rangesByOctet].map(([octet, ranges]) => [octet, proxyAddr.compile(ranges)]));

  return {
    trustsPlace: () => false,
    trusts: (address, hop) => {
      if (address === undefined) return trustsUnix;
      const octet = leadingOctet(address);
      return wholeOctets[address.family].has(octet) || (matchers.get(octet)?.(address.text, hop) ?? false);
    },
  };
}

function leadingOctet(address: IpAddress): number {
  return address.family === 4 ? address.bits >>> 24 : address.groups[0]! >>> 8;
}
