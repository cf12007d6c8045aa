import fc from 'fast-check';
import { nextTurn } from './order-book.js';

/** When each of the calls that ask at these times may be made; `undefined`: not at all. */
function starts(askedAt: readonly number[], perSecond: number, withinMs: number): (number | undefined)[] {
  let freeAt: number | undefined;
  return askedAt.map((now) => {
    const turn = nextTurn(freeAt, now, { perSecond, withinMs });
    freeAt = turn?.freeAt ?? freeAt;
    return turn && now + turn.waitMs;
  });
}

test('a second’s worth at once, then one by one', () => {
  const asked = Array.from({ length: 7 }, () => 5000);
  expect(starts(asked, 4, 60_000)).toEqual([5000, 5000, 5000, 5000, 5250, 5500, 5750]);
});

test('one at once where a second holds less than one', () => {
  expect(starts([0, 0, 0], 0.5, 60_000)).toEqual([0, 2000, 4000]);
});

test('what would be too late takes nobody’s turn', () => {
  expect(starts([0, 0, 0, 0, 150], 10, 0).filter((start) => start !== undefined)).toHaveLength(5);
  expect(starts([0, 0, 0, 1999, 2000], 0.5, 0)).toEqual([0, undefined, undefined, undefined, 2000]);
});

test('time in which nobody asks is not saved up', () => {
  const asked = [0, ...Array.from({ length: 6 }, () => 60_000)];
  expect(starts(asked, 4, 60_000)).toEqual([0, 60_000, 60_000, 60_000, 60_000, 60_250, 60_500]);
});

test('a clock that was set back stops nobody', () => {
  const given = nextTurn(undefined, 3_600_000, { perSecond: 1, withinMs: 0 });
  expect(nextTurn(given?.freeAt, 0, { perSecond: 1, withinMs: 0 })).toEqual({ waitMs: 0, freeAt: 1000 });
});

test('in no span of time are there more calls than its worth and one second’s', () => {
  const rate = fc.double({ min: 0.2, max: 500, noNaN: true });
  const gaps = fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 60 });
  fc.assert(
    fc.property(rate, gaps, fc.integer({ min: 0, max: 6000 }), (perSecond, waits, withinMs) => {
      let now = 0;
      const asked = waits.map((gap) => (now += gap));
      const made = starts(asked, perSecond, withinMs).filter((start) => start !== undefined);
      for (let first = 0; first < made.length; first++) {
        for (let last = first; last < made.length; last++) {
          const span = ((made[last] as number) - (made[first] as number)) / 1000;
          expect(last - first + 1).toBeLessThanOrEqual(Math.max(1, perSecond) + span * perSecond + 1e-6);
        }
      }
    }),
  );
});

test('nobody waits who need not: within their worth all calls are made at once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 30 }), (perSecond, seconds) => {
      const asked = Array.from({ length: perSecond * seconds }, (_, n) => (n * 1000) / perSecond);
      expect(starts(asked, perSecond, 0)).toEqual(asked);
    }),
  );
});
