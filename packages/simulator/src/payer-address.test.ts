import { addressScope, canonicalAddress } from './payer-address.js';

test.each([
  ['127.0.0.1', '127.0.0.1', 'loopback'],
  ['127.0.0.2', '127.0.0.2', 'loopback'],
  ['::1', '127.0.0.1', 'loopback'],
  ['::ffff:127.0.0.1', '127.0.0.1', 'loopback'],
  ['::ffff:203.0.113.7', '203.0.113.7', 'public'],
  ['::FFFF:cb00:7107', '203.0.113.7', 'public'],
  ['203.0.113.7', '203.0.113.7', 'public'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1', 'public'],
  ['10.0.0.5', '10.0.0.5', 'private'],
  ['172.31.255.255', '172.31.255.255', 'private'],
  ['172.32.0.0', '172.32.0.0', 'public'],
  ['192.168.1.1', '192.168.1.1', 'private'],
  ['100.64.0.1', '100.64.0.1', 'private'],
  ['169.254.0.1', '169.254.0.1', 'private'],
  ['0.0.0.0', '0.0.0.0', 'private'],
  ['fe80::1%eth0', 'fe80::1', 'private'],
  ['fd00::1', 'fd00::1', 'private'],
  ['::', '::', 'private'],
])('%s is %s, %s', (text, canonical, scope) => {
  expect(canonicalAddress(text)).toBe(canonical);
  expect(addressScope(canonical)).toBe(scope);
});
