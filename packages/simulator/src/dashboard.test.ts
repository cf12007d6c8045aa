import { createHash } from 'node:crypto';
import { eventually, openScene, type Scene } from './merchant.fixture.js';
import { isSignedBy } from './signing.js';
import { parseXml } from './xml.js';

let scene: Scene;
beforeEach(async () => {
  scene = await openScene();
});
afterEach(() => scene.stop());

const FAIL = '<xml><return_code><![CDATA[FAIL]]></return_code></xml>';
const look = (path = '/') => scene.browse(`${scene.simulator.url}${path}`);
const textOf = (page: string): string =>
  page
    .replaceAll(/<(style|script)>[^]*?<\/\1>/g, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');

async function press(order: string, name: string, token?: string) {
  const { page } = await look(`/?order=${encodeURIComponent(order)}`);
  const own = /name="token" value="([0-9a-f]{32})"/.exec(page)?.[1] ?? '';
  const { status, location = '' } = await scene.browse(`${scene.simulator.url}/`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token: token ?? own, order, press: name }).toString(),
  });
  return { status, location };
}

const buttonsOf = (page: string): string[] =>
  [...page.matchAll(/name="press" value="([^"]+)"/g)].map(([, name = '']) => name);

describe('what it shows', () => {
  test('the orders, the newest first, and everything about the one that was picked', async () => {
    await scene.place('order-1');
    await scene.place('order-2', { body: '<img src=x>', total_fee: '5' });
    await scene.simulator.pay('order-1');
    const { status, page } = await look('/?order=order-1');
    expect(status).toBe(200);
    expect(page.indexOf('id="order-order-2"')).toBeLessThan(page.indexOf('id="order-order-1"'));
    expect(page).toContain('&#60;img src=x&#62;');
    expect(page).not.toContain('<img');
    expect(page).not.toContain(scene.simulator.merchant.apiKey);
    expect(page).toContain('<h1 class="number">order-1</h1>');
    expect(textOf(page)).toContain(
      `transaction_id ${scene.simulator.orders.get('order-1')?.payment?.transactionId ?? ''}`,
    );
  });

  test('the newest order unless one is picked, and says so when there is none', async () => {
    expect(textOf((await look()).page)).toContain('No orders yet');
    await scene.place('order-1');
    await scene.place('order-2');
    expect((await look()).page).toContain('<h1 class="number">order-2</h1>');
    expect((await look('/?order=never')).page).toContain('<h1 class="number">order-2</h1>');
  });

  test('each notification with its request and its reply', async () => {
    scene.answer = () => '<html>&</html>';
    await scene.place('order-1');
    await scene.simulator.pay('order-1');
    const { page } = await look('/?order=order-1');
    expect(page).toContain('&#60;total_fee&#62;1990&#60;/total_fee&#62;');
    expect(page).toContain('HTTP 200\n\n&#60;html&#62;&#38;&#60;/html&#62;');
    expect(textOf(page)).toContain('payment #1 refused: the body is not the success XML HTTP 200');
  });

  test('the life of an order, in the order in which it happened', async () => {
    const link = await scene.place('order-1');
    await scene.browse(link);
    await scene.simulator.pay('order-1');
    await scene.call('orderquery', { out_trade_no: 'order-1' });
    await scene.call('orderquery', { out_trade_no: 'order-1' });
    await scene.simulator.refund('order-1', { outRefundNo: 'R-1' });
    const items = (await look('/?order=order-1')).page.match(/<li class="(good|bad|plain|wait)">[^]*?<\/li>/g) ?? [];
    expect(items.map((item) => /<b>(\S+)/.exec(item)?.[1])).toEqual([
      '下单',
      '打开支付链接',
      '收到付款',
      '支付通知',
      '查询订单',
      '受理退款',
      '退款到账',
      '退款通知',
    ]);
    expect(textOf(items[1] ?? '')).toContain('REFERER_MISSING');
    expect(textOf(items[4] ?? '')).toContain('× 2');
  });

  test.each([
    ['all there is', () => undefined, ['heard', ...Array<string>(15).fill('spared')], '已确认'],
    ['nothing heard', () => FAIL, Array<string>(16).fill('refused'), '放弃'],
  ])('the retry schedule: %s', async (_what, answer, steps, summary) => {
    await scene.stop();
    scene = await openScene({ timeScale: 1e-7 });
    scene.answer = answer;
    await scene.place('order-1');
    await scene.simulator.pay('order-1');
    const tried = steps.filter((step) => step !== 'spared').length;
    await eventually(() => scene.simulator.notifications.list().length === tried);
    const { page } = await look('/?order=order-1');
    const [picture = ''] = /<figure class="schedule">[^]*?<\/figure>/.exec(page) ?? [];
    expect([...picture.matchAll(/<li class="(\w+)"/g)].map(([, step]) => step)).toEqual(steps);
    expect(picture).toContain(summary);
    const ends = [...picture.matchAll(/<b>([^<]+)<\/b>/g)].map(([, after]) => after);
    expect(ends).toEqual('0s 15s 30s 1m 4m 14m 34m 1h04 1h34 2h04 3h04 6h04 9h04 12h04 18h04 24h04'.split(' '));
  });

  test('what is still to come: the next delivery, and those after it', async () => {
    await scene.stop();
    scene = await openScene({ timeScale: 1 });
    scene.answer = () => FAIL;
    await scene.place('order-1');
    await scene.simulator.pay('order-1');
    const { page } = await look('/?order=order-1');
    expect(page).toMatch(/<li class="refused"[^]*?<li class="next"[^]*?<li class="open"/);
    expect(textOf(page)).toContain('将发支付通知 Told of the payment: next #2');
  });
});

describe('what can be pressed', () => {
  beforeEach(() => scene.place('order-1'));
  const sent = () => scene.notified.map((body) => parseXml(body));
  /** The shop got this many and answered them: a page does not wait for a slow one. */
  async function heard(count: number): Promise<void> {
    const { notifications } = scene.simulator;
    await eventually(() => scene.notified.length >= count && notifications.list().length >= scene.notified.length);
    expect(scene.notified).toHaveLength(count);
  }
  const isGenuine = (fields: Record<string, string>) => isSignedBy(fields, scene.simulator.merchant.apiKey, 'MD5');

  test('only what fits the state of the order', async () => {
    const forgeries = ['forged', 'another-amount', 'another-merchant'];
    const offered = async () => buttonsOf((await look('/?order=order-1')).page);
    expect(await offered()).toEqual(['pay', 'pay-duplicate', 'pay-late', 'pay-lost', 'out-of-order', ...forgeries]);
    await scene.simulator.pay('order-1');
    expect(await offered()).toEqual(['out-of-order', 'duplicate', 'refund', ...forgeries]);
    await scene.simulator.refund('order-1');
    expect(await offered()).toEqual(['duplicate', ...forgeries]);
  });

  test.each([
    ['pay', 1],
    ['pay-duplicate', 3],
    ['pay-late', 0],
    ['pay-lost', 0],
  ])('%s pays and sends %i notifications', async (name, count) => {
    expect(await press('order-1', name)).toEqual({ status: 303, location: '/?order=order-1' });
    expect(scene.simulator.orders.get('order-1')).toMatchObject({ tradeState: 'SUCCESS' });
    await heard(count);
    expect(sent().every(isGenuine)).toBe(true);
    expect(scene.simulator.notifications.nextAttemptAt('order-1') !== undefined).toBe(name === 'pay-late');
    const { page } = await look('/?order=order-1');
    expect(page.includes('没有发出支付通知')).toBe(name === 'pay-lost');
  });

  test.each([
    ['of an unpaid order', false],
    ['of a paid one', true],
  ])('out-of-order %s: the refund is told, then the payment', async (_what, isPaid) => {
    if (isPaid) await scene.simulator.pay('order-1');
    scene.notified.length = 0;
    await press('order-1', 'out-of-order');
    await heard(2);
    expect(sent().map((fields) => Object.hasOwn(fields, 'req_info'))).toEqual([true, false]);
    expect(sent()[1]).toMatchObject({ out_trade_no: 'order-1', result_code: 'SUCCESS' });
    expect(scene.simulator.orders.get('order-1')).toMatchObject({ tradeState: 'REFUND' });
  });

  test('duplicate sends the payment three times more, refund refunds', async () => {
    await scene.simulator.pay('order-1');
    await press('order-1', 'duplicate');
    await heard(4);
    expect(new Set(scene.notified)).toEqual(new Set(scene.notified.slice(0, 1)));
    await press('order-1', 'refund');
    expect(scene.simulator.refunds.list('order-1')).toMatchObject([{ refundFee: 1990, status: 'SUCCESS' }]);
  });

  test.each([
    ['forged', { total_fee: '1990' }, false],
    ['another-amount', { total_fee: '1991' }, true],
    ['another-merchant', { total_fee: '1990' }, true],
  ])('%s claims a payment that never was', async (name, claimed, isSigned) => {
    await press('order-1', name);
    await heard(1);
    const [fields = {}] = sent();
    expect(fields).toMatchObject({ out_trade_no: 'order-1', ...claimed });
    expect(fields['mch_id'] === scene.simulator.merchant.mchId).toBe(name !== 'another-merchant');
    expect(isGenuine(fields)).toBe(isSigned);
    expect(scene.simulator.orders.get('order-1')).toMatchObject({ tradeState: 'NOTPAY' });
    // The shop of this scene says yes to everything: to a forgery that is the wrong answer.
    expect((await look('/?order=order-1')).page).toContain('<b class="bad">acknowledged</b>');
  });

  test.each([
    ['without the page’s token', 'order-1', 'pay', ''],
    ['with another token', 'order-1', 'pay', '0'.repeat(32)],
    ['for a button that is not there', 'order-1', 'constructor', undefined],
  ])('nothing happens %s', async (_what, order, name, token) => {
    expect(await press(order, name, token)).toEqual({ status: 303, location: '/?order=order-1&problem=STALE' });
    expect(scene.simulator.orders.get('order-1')).toMatchObject({ tradeState: 'NOTPAY' });
    expect(scene.notified).toEqual([]);
  });

  test('what cannot be done is said, in words of our own', async () => {
    await scene.simulator.pay('order-1');
    const { location } = await press('order-1', 'pay');
    expect(location).toBe('/?order=order-1&problem=ORDER_PAID');
    expect(textOf((await look(location)).page)).toContain('The order is paid already.');
    expect((await press('never', 'pay')).location).toBe('/?order=never&problem=ORDER_UNKNOWN');
    const foreign = await look('/?order=order-1&problem=%3Cb%3EHELLO');
    expect(foreign.page).not.toContain('HELLO');
    expect(textOf(foreign.page)).toContain('That did not work.');
  });
});

describe('as a page', () => {
  test('runs its one script, loads nothing else, and is framed by nobody', async () => {
    await scene.place('order-1', { attach: '</script><script>alert(1)</script>' });
    await scene.simulator.pay('order-1');
    const { page, headers } = await look();
    const hashOf = (text = '') => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    const [style] = /(?<=<style>)[^]*?(?=<\/style>)/.exec(page) ?? [];
    const [script] = /(?<=<script>)[^]*?(?=<\/script>)/.exec(page) ?? [];
    expect(headers['content-security-policy']).toBe(
      `default-src 'none'; style-src ${hashOf(style)}; script-src ${hashOf(script)}; connect-src 'self'; ` +
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    expect(headers['cache-control']).toBe('no-store');
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page).not.toMatch(/<img|<link|<iframe|<table|@import|url\(| style=| on\w+=/);
  });

  test('renews itself without a script, but not while an order is read', async () => {
    await scene.place('order-1');
    const refresh = '<noscript><meta http-equiv="refresh" content="5" /></noscript>';
    expect((await look()).page).toContain(refresh);
    expect((await look('/?order=order-1')).page).not.toContain('http-equiv="refresh"');
  });

  test('is not there for other methods', async () => {
    expect((await scene.browse(`${scene.simulator.url}/`, { method: 'DELETE' })).status).toBe(404);
  });
});
