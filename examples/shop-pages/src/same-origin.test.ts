import { isSameOrigin } from './same-origin.js';

const SHOP = 'https://pay.example.com';

test.each<[string, Record<string, string>, boolean]>([
  ['a page of the shop', { 'sec-fetch-site': 'same-origin', origin: SHOP }, true],
  ['a page of the shop in an older browser', { origin: SHOP }, true],
  ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, false],
  ['a neighbour on the same site', { 'sec-fetch-site': 'same-site', origin: 'https://www.example.com' }, false],
  ['no page at all', { 'sec-fetch-site': 'none' }, false],
  ['another site in an older browser', { origin: 'https://evil.example' }, false],
  ['the same host without TLS', { origin: 'http://pay.example.com' }, false],
  ['a page that hides where it is from', { origin: 'null' }, false],
  ['no browser', {}, false],
  ['another site, whatever Origin it claims', { 'sec-fetch-site': 'cross-site', origin: SHOP }, false],
])('%s', (_name, headers, expected) => expect(isSameOrigin(headers, SHOP)).toBe(expected));
