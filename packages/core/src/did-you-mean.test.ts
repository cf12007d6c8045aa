import { didYouMean } from './did-you-mean.js';

const NAMES = ['trust', 'header', 'maxHops', 'nonPublic', 'ipv6', 'nat64'];

test.each([
  ['maxHop', 'maxHops'],
  ['max_hops', 'maxHops'],
  ['MAXHOPS', 'maxHops'],
  ['non-public', 'nonPublic'],
  ['headers', 'header'],
  ['turst', 'trust'],
  ['ipv4', 'ipv6'],
  ['nat46', 'nat64'],
  ['timeout', undefined],
  ['', undefined],
])('%s: %s', (name, meant) => {
  expect(didYouMean(name, NAMES)).toBe(meant);
});

test('nobody means a name as long as a book', () => {
  expect(didYouMean('maxHops'.repeat(10_000), NAMES)).toBeUndefined();
});

test('the nearest of several is meant', () => {
  expect(didYouMean('hop', ['top10', 'hops', 'hopsa'])).toBe('hops');
});
