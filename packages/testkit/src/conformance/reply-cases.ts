import assert from 'node:assert/strict';
import { assertFail, assertSuccess, eventually, notify, withScene } from './expectations.js';
import type { ConformanceCase, RunningScene, Surrounding } from './harness.js';
import { createShop, notification } from './shop.js';
import { exchange, type Reply } from './wire.js';

const BROWSER = {
  'accept-encoding': 'gzip, br',
  'if-none-match': '*',
  accept: 'application/json',
  origin: 'https://shop.example.com',
};
const PAGE = { text: 'x'.repeat(2000) };

/** What the framework and the shop do to replies must not reach the reply to WeChat Pay (I18, I19). */
export const replyCases: readonly ConformanceCase[] = [
  untouched('R01', 'compression', 'compression and ETags do not touch the reply (I18)', (page) => {
    const headers = new Map(page.headers);
    assert.ok(headers.has('content-encoding'), 'the scene does not compress');
  }),
  untouched(
    'R02',
    'headers',
    'a status, headers and cookies that were set before do not show in the reply (I18)',
    (page) => {
      const headers = new Map(page.headers);
      assert.equal(headers.get('x-shop'), '1', 'the scene sets no headers');
      assert.ok(headers.has('set-cookie'), 'the scene sets no cookie');
    },
  ),
  untouched(
    'R03',
    'rewriting',
    "the framework's own means of rewriting replies do not touch the reply (I18)",
    (page) => {
      assert.deepEqual({ status: page.status, body: JSON.parse(page.body) }, { status: 201, body: { data: PAGE } });
    },
  ),
  {
    id: 'R04',
    title: 'an error after the reply changes nothing: one reply, and the server lives on (I19)',
    async run(harness) {
      const shop = createShop();
      let thrown = 0;
      const lateError = (): Error => {
        thrown++;
        return new Error('too late');
      };
      await withScene(harness, { lateError, notify: [shop] }, async (running) => {
        assertSuccess(await notify(running, notification()));
        await eventually('the error was thrown', () => thrown === 1);
        assertSuccess(await notify(running, notification()));
        assertFail(await notify(running, '<xml></xml>'));
        await eventually('the errors were thrown', () => thrown === 3);
      });
    },
  },
];

/** Every kind of reply, through one surrounding; `proof` sees a page of the shop, to which it does apply. */
function untouched(id: string, surrounding: Surrounding, title: string, proof: (page: Reply) => void): ConformanceCase {
  return {
    id,
    title,
    async run(harness) {
      const shop = createShop();
      const scene = { surroundings: [surrounding], notify: [shop], routes: { '/page': () => PAGE } };
      await withScene(harness, scene, async (running) => {
        assertSuccess(await notify(running, notification(), { headers: BROWSER }));
        assertFail(await notify(running, '<xml></xml>', { headers: BROWSER }));
        assertFail(await notify(running, '', { method: 'GET', headers: BROWSER }), 405);
        assertFail(await notify(running, notification(), { headers: { ...BROWSER, 'content-encoding': 'gzip' } }), 415);
        proof(await page(running));
      });
    },
  };
}

function page(running: RunningScene): Promise<Reply> {
  return exchange(running, { method: 'GET', path: '/page', headers: { 'accept-encoding': 'gzip' } });
}
