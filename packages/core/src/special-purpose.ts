import { nat64Address, parseIpAddress, type IpAddress } from './ip-address.js';

/**
 * What no payer's packet can come from, by the IANA registries of special-purpose addresses
 * (iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry, with RFC 6890), and multicast.
 * Left out are the few globally reachable exceptions inside 192.0.0.0/24 and 2001::/23: anycast services and
 * identifiers, none of them a phone.
 */
const RANGES: readonly (readonly [address: string, prefix: number, name: string])[] = [
  ['0.0.0.0', 8, '"this network" (RFC 791)'],
  ['10.0.0.0', 8, 'private (RFC 1918)'],
  ['100.64.0.0', 10, 'carrier-grade NAT (RFC 6598)'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'link-local'],
  ['172.16.0.0', 12, 'private (RFC 1918)'],
  ['192.0.0.0', 24, 'IETF protocol assignments'],
  ['192.0.2.0', 24, 'documentation'],
  ['192.88.99.0', 24, '6to4 relay anycast (deprecated)'],
  ['192.168.0.0', 16, 'private (RFC 1918)'],
  ['198.18.0.0', 15, 'benchmarking (RFC 2544)'],
  ['198.51.100.0', 24, 'documentation'],
  ['203.0.113.0', 24, 'documentation'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved'],
  ['::', 128, 'unspecified'],
  ['::1', 128, 'loopback'],
  ['64:ff9b:1::', 48, 'local-use NAT64 (RFC 8215)'],
  ['100::', 64, 'discard-only (RFC 6666)'],
  ['2001::', 32, 'Teredo'],
  ['2001:2::', 48, 'benchmarking (RFC 5180)'],
  ['2001:db8::', 32, 'documentation'],
  ['2001::', 23, 'IETF protocol assignments'],
  ['2002::', 16, '6to4'],
  ['3fff::', 20, 'documentation (RFC 9637)'],
  ['5f00::', 16, 'segment routing (RFC 9602)'],
  ['fc00::', 7, 'unique local (RFC 4193)'],
  ['fe80::', 10, 'link-local'],
  ['ff00::', 8, 'multicast'],
];

const PARSED = RANGES.map(([text, prefix, name]) => ({ network: parseIpAddress(text)!, prefix, name }));
const IPV4_RANGES = PARSED.flatMap(({ network, prefix, name }) =>
  network.family === 4 ? { network: network.bits >>> (32 - prefix), shift: 32 - prefix, name } : [],
);
const IPV6_RANGES = PARSED.flatMap(({ network, prefix, name }) =>
  network.family === 6 ? { network: network.groups, prefix, name } : [],
);

/**
 * Why this is not the address of anybody on the public Internet (`private (RFC 1918)`, `loopback`, …), or
 * `undefined` when it is public. An address of NAT64's well-known prefix is as public as the IPv4 address in it.
 */
export function specialPurpose(address: IpAddress): string | undefined {
  if (address.family === 4) {
    return IPV4_RANGES.find(({ network, shift }) => address.bits >>> shift === network)?.name;
  }
  const embedded = nat64Address(address);
  if (embedded) return specialPurpose(embedded);
  const { groups } = address;
  const special = IPV6_RANGES.find(({ network, prefix }) => startsWith(groups, network, prefix));
  if (special) return special.name;
  return (groups[0]! & 0xe000) === 0x2000 ? undefined : 'not global unicast (RFC 4291)';
}

/** Whether the address is globally reachable: what WeChat Pay can have seen as a payer's. */
export function isPublic(address: IpAddress): boolean {
  return specialPurpose(address) === undefined;
}

function startsWith(groups: readonly number[], network: readonly number[], prefix: number): boolean {
  const whole = prefix >> 4;
  for (let i = 0; i < whole; i++) if (groups[i] !== network[i]) return false;
  const rest = prefix & 15;
  return rest === 0 || (groups[whole]! ^ network[whole]!) >>> (16 - rest) === 0;
}
