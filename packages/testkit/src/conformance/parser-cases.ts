import assert from 'node:assert/strict';
import {
  assertDeliveredOnce,
  assertRefused,
  assertSuccess,
  isSuccess,
  notify,
  timed,
  withScene,
} from './expectations.js';
import type { ConformanceCase, ParserKind } from './harness.js';
import { createShop, notification } from './shop.js';

/** Body parsers in front of the notify middleware (I12): the exact bytes, or a refusal that says so, at once. */
export const parserCases: readonly ConformanceCase[] = [
  exact('P01', 'usual', 'behind the parsers that the framework is usually set up with, notifications are served (I12)'),
  exact('P02', 'all-in-one', 'behind its other usual set-up they are served too (I12)'),
  exact('P03', 'keeping', 'behind a parser that keeps the bytes they are served from those (I12)'),
  exact('P04', 'text', 'behind a text parser that takes everything they are served from the text (I12)'),
  exact('P05', 'raw', 'behind a raw parser that takes everything they are served from the bytes (I12)'),
  exactOrRefused(
    'P06',
    'json',
    'behind a JSON parser that takes everything nothing waits and nothing is lost unnoticed (I12)',
  ),
  exactOrRefused(
    'P07',
    'urlencoded',
    'behind a form parser that takes everything nothing waits and nothing is lost unnoticed (I12)',
  ),
  {
    id: 'P08',
    title: 'where somebody has read the body and kept nothing, that is said at once, by name (I12)',
    async run(harness) {
      const shop = createShop();
      await withScene(harness, { parser: 'drained', notify: [shop] }, async (running) => {
        const { value, milliseconds } = await timed(notify(running, notification()));
        assertRefused(shop, value, 'BODY_ALREADY_READ', 500);
        assert.equal(shop.problems[0]?.type, 'misconfigured');
        assert.ok(milliseconds < 3000, `it took ${Math.round(milliseconds)} ms`);
      });
    },
  },
  {
    id: 'P09',
    title: 'text in which a parser has replaced bytes that it could not read is not taken for the body',
    async run(harness) {
      const shop = createShop();
      await withScene(harness, { parser: 'text', notify: [shop] }, async (running) => {
        const reply = await notify(running, Buffer.from(notification().replace('支付', '\xd6\xa7\xb8\xb6'), 'latin1'));
        assert.ok(!isSuccess(reply));
        assert.equal(shop.runs.length, 0);
        // An adapter that was there before the parser has seen the bytes themselves.
        assert.ok(['BODY_ALREADY_READ', 'XML_INVALID'].includes(shop.problems[0]?.code ?? ''), shop.problems[0]?.code);
      });
    },
  },
];

function exact(id: string, parser: ParserKind, title: string): ConformanceCase {
  return {
    id,
    title,
    async run(harness) {
      const shop = createShop();
      await withScene(harness, { parser, notify: [shop] }, async (running) => {
        const { value, milliseconds } = await timed(notify(running, notification()));
        assertSuccess(value);
        assertDeliveredOnce(shop);
        assert.ok(milliseconds < 3000, `it took ${Math.round(milliseconds)} ms`);
      });
    },
  };
}

function exactOrRefused(id: string, parser: ParserKind, title: string): ConformanceCase {
  return {
    id,
    title,
    async run(harness) {
      const shop = createShop();
      await withScene(harness, { parser, notify: [shop] }, async (running) => {
        const { value, milliseconds } = await timed(notify(running, notification()));
        assert.ok(milliseconds < 3000, `it took ${Math.round(milliseconds)} ms`);
        if (isSuccess(value)) {
          assertDeliveredOnce(shop);
        } else if (shop.problems.length > 0) {
          assertRefused(shop, value, 'BODY_ALREADY_READ', 500);
        } else {
          // The parser itself refused what it could not read, and nothing came through to the adapter.
          assert.deepEqual({ status: value.status, runs: shop.runs.length }, { status: 400, runs: 0 });
        }
      });
    },
  };
}
