import { refererFor } from './referrer.js';

// What Chromium 156 sent from http://127.0.0.1:A/page?secret=1, measured.
test.each([
  ['strict-origin-when-cross-origin', 'http://localhost:2/', 'http://127.0.0.1:1/'],
  ['strict-origin-when-cross-origin', 'http://127.0.0.1:1/go', 'http://127.0.0.1:1/page?secret=1'],
  ['no-referrer', 'http://localhost:2/', undefined],
  ['no-referrer', 'http://127.0.0.1:1/go', undefined],
  ['same-origin', 'http://localhost:2/', undefined],
  ['same-origin', 'http://127.0.0.1:1/go', 'http://127.0.0.1:1/page?secret=1'],
])('%s: to %s goes %s', (policy, target, expected) => {
  expect(refererFor(new URL('http://127.0.0.1:1/page?secret=1#part'), new URL(target), policy)).toBe(expected);
});

test('nothing goes from https to http', () => {
  const shop = new URL('https://pay.example.com/');
  expect(refererFor(shop, new URL('http://pay.example.com/'), 'strict-origin-when-cross-origin')).toBeUndefined();
});
