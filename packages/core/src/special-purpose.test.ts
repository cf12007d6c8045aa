import { parseIpAddress } from './ip-address.js';
import { isPublic, specialPurpose } from './special-purpose.js';

// First and last address of each range of the registries, and the neighbours outside.
test.each([
  ['0.0.0.0', '0.255.255.255', undefined, '1.0.0.0'],
  ['10.0.0.0', '10.255.255.255', '9.255.255.255', '11.0.0.0'],
  ['100.64.0.0', '100.127.255.255', '100.63.255.255', '100.128.0.0'],
  ['127.0.0.0', '127.255.255.255', '126.255.255.255', '128.0.0.0'],
  ['169.254.0.0', '169.254.255.255', '169.253.255.255', '169.255.0.0'],
  ['172.16.0.0', '172.31.255.255', '172.15.255.255', '172.32.0.0'],
  ['192.0.0.0', '192.0.0.255', '191.255.255.255', '192.0.1.0'],
  ['192.0.2.0', '192.0.2.255', '192.0.1.255', '192.0.3.0'],
  ['192.88.99.0', '192.88.99.255', '192.88.98.255', '192.88.100.0'],
  ['192.168.0.0', '192.168.255.255', '192.167.255.255', '192.169.0.0'],
  ['198.18.0.0', '198.19.255.255', '198.17.255.255', '198.20.0.0'],
  ['198.51.100.0', '198.51.100.255', '198.51.99.255', '198.51.101.0'],
  ['203.0.113.0', '203.0.113.255', '203.0.112.255', '203.0.114.0'],
  ['224.0.0.0', '255.255.255.255', '223.255.255.255', undefined],
  ['::', '1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', undefined, '2000::'],
  ['2001::', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff', '2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '2001:200::'],
  ['2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', '2001:db7:ffff::', '2001:db9::'],
  ['2002::', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '2001:ffff:ffff::', '2003::'],
  ['3fff::', '3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff', '3ffe:ffff::', '3fff:1000::'],
  ['4000::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', undefined],
])('%s to %s is not public, its neighbours are', (first, last, before, after) => {
  expect([first, last].map(isPublicText)).toEqual([false, false]);
  for (const neighbour of [before, after])
    if (neighbour !== undefined) expect([neighbour, isPublicText(neighbour)]).toEqual([neighbour, true]);
});

test.each([
  ['127.0.0.1', 'loopback'],
  ['192.168.1.5', 'private (RFC 1918)'],
  ['100.64.0.1', 'carrier-grade NAT (RFC 6598)'],
  ['::1', 'loopback'],
  ['fe80::1', 'link-local'],
  ['fd00::1', 'unique local (RFC 4193)'],
  ['ff02::1', 'multicast'],
  ['2001:0:53aa::1', 'Teredo'],
  ['2002:df68:6f61::1', '6to4'],
  ['64:ff9b:1::1', 'local-use NAT64 (RFC 8215)'],
  ['64:ff9b::10.0.0.1', 'private (RFC 1918)'],
  ['64:ff9b::223.104.111.97', undefined],
  ['::ffff:10.0.0.1', 'private (RFC 1918)'],
  ['240e:b0:203:4e90:2535:6ee1:61ac:ffe5', undefined],
  ['::203.0.113.7', 'not global unicast (RFC 4291)'],
  ['fec0::1', 'not global unicast (RFC 4291)'],
])('%s: %s', (text, name) => {
  expect(specialPurpose(parseIpAddress(text)!)).toBe(name);
});

function isPublicText(text: string): boolean {
  return isPublic(parseIpAddress(text)!);
}
