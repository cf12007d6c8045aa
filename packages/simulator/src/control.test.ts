import { request as httpRequest } from 'node:http';
import { eventually, openScene, type Scene } from './merchant.fixture.js';
import type { SimulatorEvent } from './index.js';
import { isSignedBy } from './signing.js';
import { parseXml } from './xml.js';

let scene: Scene;
beforeEach(async () => {
  scene = await openScene();
});
afterEach(() => scene.stop());

const at = (path: string): string => `${scene.simulator.url}${path}`;
const read = async (path: string): Promise<unknown> => (await fetch(at(`/__simulator/${path}`))).json();
async function command(
  name: string,
  body: unknown,
  headers: Record<string, string> = { 'content-type': 'application/json' },
) {
  const reply = await fetch(at(`/__simulator/${name}`), { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
}

test('reads orders, notifications and events as JSON, without the key', async () => {
  await scene.place('order-1');
  await scene.simulator.pay('order-1');
  expect(await read('orders')).toMatchObject([{ outTradeNo: 'order-1', tradeState: 'SUCCESS', totalFee: 1990 }]);
  expect(await read('notifications')).toMatchObject([{ outTradeNo: 'order-1', attempt: 1, verdict: 'acknowledged' }]);
  expect(await read('events')).toHaveLength(4);
  expect(JSON.stringify([await read('orders'), await read('notifications'), await read('events')])).not.toContain(
    scene.simulator.merchant.apiKey,
  );
});

test('refunds, settles, notifies and forges refunds', async () => {
  await scene.place('order-1');
  await command('pay', { outTradeNo: 'order-1' });
  const choice = { outRefundNo: 'R1', refundFee: 90, status: 'PROCESSING', notifyUrl: `${scene.shopUrl}/refunds` };
  expect(await command('refund', { outTradeNo: 'order-1', ...choice })).toMatchObject({
    status: 200,
    body: { refund: choice, attempts: [] },
  });
  expect(await command('settle-refund', { outRefundNo: 'R1', status: 'CHANGE' })).toMatchObject({
    status: 200,
    body: { refund: { status: 'CHANGE' }, attempts: [{ kind: 'refund', verdict: 'acknowledged' }] },
  });
  expect(await command('settle-refund', { outRefundNo: 'R1' })).toMatchObject({
    body: { refund: { status: 'SUCCESS' } },
  });
  expect(await command('refund', { outTradeNo: 'order-1' })).toMatchObject({
    body: { refund: { refundFee: 1900, status: 'SUCCESS' }, attempts: [{}] },
  });
  expect(await read('refunds')).toMatchObject([{ outRefundNo: 'R1', status: 'SUCCESS' }, { refundFee: 1900 }]);
  expect(await command('notify', { outTradeNo: 'order-1', outRefundNo: 'R1', copies: 2 })).toMatchObject({
    body: { attempts: [{ outRefundNo: 'R1' }, { outRefundNo: 'R1' }] },
  });
  const told = scene.notified.length;
  await command('refund', { outTradeNo: 'order-1' });
  const forgeries = [{}, { fields: { refund_fee: '1' } }, { replay: true }, { spliceWith: 'R1' }];
  for (const forgery of forgeries) {
    expect(await command('forge-refund', { outRefundNo: 'R1', ...forgery })).toMatchObject({
      status: 200,
      body: { attempts: [{ kind: 'forged', outRefundNo: 'R1' }] },
    });
  }
  expect(scene.notified).toHaveLength(told + forgeries.length);
  const [, , replayed, spliced] = scene.notified.slice(told).map((body) => parseXml(body)['req_info']);
  const [first, newest] = scene.notified.slice(1).map((body) => parseXml(body)['req_info']);
  expect([replayed, spliced]).toEqual([first, newest]);
});

test('pays, cancels, notifies and forges', async () => {
  await scene.place('order-1');
  expect(await command('cancel', { outTradeNo: 'order-1' })).toMatchObject({
    status: 200,
    body: { order: { tradeState: 'NOTPAY' } },
  });
  expect(await command('pay', { outTradeNo: 'order-1' })).toMatchObject({
    status: 200,
    body: { order: { tradeState: 'SUCCESS' }, attempts: [{ verdict: 'acknowledged' }] },
  });
  expect(await command('notify', { outTradeNo: 'order-1', copies: 2 })).toMatchObject({
    status: 200,
    body: { attempts: [{}, {}] },
  });
  expect(await command('forge', { outTradeNo: 'order-1', fields: { total_fee: '1' } })).toMatchObject({
    status: 200,
    body: { attempts: [{ kind: 'forged' }] },
  });
  expect(scene.notified).toHaveLength(4);
  expect(scene.notified[3]).toContain('<total_fee>1</total_fee>');
});

test.each([
  [404, 'ORDER_UNKNOWN', 'pay', { outTradeNo: 'never' }],
  [409, 'ORDER_NOT_PAID', 'notify', { outTradeNo: 'order-1' }],
  [409, 'ORDER_PAID', 'pay', { outTradeNo: 'order-2' }],
  [409, 'ORDER_PAID', 'cancel', { outTradeNo: 'order-2' }],
  [400, 'RANGE', 'notify', { outTradeNo: 'order-2', copies: 0 }],
  [404, 'ORDER_UNKNOWN', 'refund', { outTradeNo: 'never' }],
  [409, 'ORDER_NOT_PAID', 'refund', { outTradeNo: 'order-1' }],
  [409, 'REFUND_EXCEEDS', 'refund', { outTradeNo: 'order-2', refundFee: 9999 }],
  [400, 'RANGE', 'refund', { outTradeNo: 'order-2', refundFee: 0 }],
  [400, 'RANGE', 'refund', { outTradeNo: 'order-2', status: 'DONE' }],
  [404, 'REFUND_UNKNOWN', 'settle-refund', { outRefundNo: 'never' }],
  [404, 'REFUND_UNKNOWN', 'forge-refund', { outRefundNo: 'never' }],
  [404, 'REFUND_UNKNOWN', 'notify', { outTradeNo: 'order-2', outRefundNo: 'never' }],
  [400, 'BODY', 'refund', { outTradeNo: 'order-2', refundFee: '1' }],
  [400, 'BODY', 'settle-refund', {}],
  [400, 'BODY', 'forge', { outTradeNo: 'order-1', fields: null }],
  [404, 'NOT_FOUND', 'constructor', {}],
  [404, 'ORDER_UNKNOWN', 'out-of-order', { outTradeNo: 'never' }],
  [400, 'RANGE', 'delay', { outTradeNo: 'order-1' }],
  [400, 'RANGE', 'delay', { outTradeNo: 'order-1', seconds: 0 }],
  [400, 'RANGE', 'duplicate', { outTradeNo: 'order-1' }],
  [400, 'BODY', 'pay', {}],
  [400, 'BODY', 'pay', null],
  [400, 'BODY', 'pay', { outTradeNo: 1 }],
  [400, 'BODY', 'forge', { outTradeNo: 'order-1', fields: { total_fee: 1 } }],
  [404, 'NOT_FOUND', 'close', { outTradeNo: 'order-1' }],
])('%i %s for %s %j', async (status, code, name, body) => {
  await scene.place('order-1');
  await scene.place('order-2');
  await scene.simulator.pay('order-2');
  expect(await command(name, body)).toMatchObject({ status, body: { error: { code } } });
});

test('a website cannot command it: neither by a form, nor under a name of its own', async () => {
  await scene.place('order-1');
  expect(await command('pay', { outTradeNo: 'order-1' }, { 'content-type': 'text/plain' })).toMatchObject({
    status: 415,
  });
  for (const path of ['/', '/__simulator/orders', '/__simulator/events']) {
    const { status, page } = await scene.browse(at(path), {
      headers: { host: 'attacker.example', accept: 'text/event-stream' },
    });
    expect({ status, page }).toEqual({ status: 403, page: expect.not.stringContaining('order-1') });
  }
  expect(scene.simulator.orders.get('order-1')).toMatchObject({ tradeState: 'NOTPAY' });
});

test('streams events as they happen, and from where the reader left off', async () => {
  await scene.place('order-1');
  const received = await new Promise<{ events: SimulatorEvent[]; end: () => void }>((resolve) => {
    const events: SimulatorEvent[] = [];
    const request = httpRequest(
      at('/__simulator/events'),
      { headers: { accept: 'text/event-stream', 'last-event-id': '1' }, agent: false },
      (response) => {
        response.setEncoding('utf8');
        response.on('error', () => {});
        response.on('data', (text: string) => {
          for (const [, data = ''] of text.matchAll(/^data: (.*)$/gm)) events.push(JSON.parse(data) as SimulatorEvent);
        });
        resolve({ events, end: () => request.destroy() });
      },
    );
    request.on('error', () => {});
    request.end();
  });
  await scene.simulator.pay('order-1');
  await eventually(() => received.events.length === 3);
  expect(received.events.map(({ number, type }) => [number, type])).toEqual([
    [2, 'gateway.reply'],
    [3, 'notification.request'],
    [4, 'notification.reply'],
  ]);
  received.end();
});

test('scripts what becomes of notifications', async () => {
  for (const name of ['order-1', 'order-2', 'order-3']) await scene.place(name);
  expect(await command('lose', { outTradeNo: 'order-1' })).toEqual({ status: 200, body: { scripted: true } });
  await command('delay', { outTradeNo: 'order-2', seconds: 3600 });
  await command('duplicate', { outTradeNo: 'order-3', copies: 2 });
  for (const name of ['order-1', 'order-2']) {
    expect(await command('pay', { outTradeNo: name })).toMatchObject({ body: { attempts: [] } });
  }
  expect(scene.simulator.notifications.nextAttemptAt('order-1')).toBeUndefined();
  expect(scene.simulator.notifications.nextAttemptAt('order-2')).toBeInstanceOf(Date);
  expect(await command('pay', { outTradeNo: 'order-3' })).toMatchObject({ body: { attempts: [{}, {}] } });
});

test('tells a refund before its payment, and claims another amount with the merchant’s key', async () => {
  await scene.place('order-1');
  expect(await command('out-of-order', { outTradeNo: 'order-1' })).toMatchObject({
    status: 200,
    body: { attempts: [{ kind: 'refund' }, { kind: 'payment' }] },
  });
  const { merchant } = scene.simulator;
  for (const signed of [true, false]) {
    await command('forge', { outTradeNo: 'order-1', fields: { total_fee: '1' }, signed });
    const fields = parseXml(scene.notified.at(-1) ?? '');
    expect(fields['total_fee']).toBe('1');
    expect(isSignedBy(fields, merchant.apiKey, 'MD5')).toBe(signed);
  }
});

describe('scripts', () => {
  test.each([
    [{ errCode: 'FREQUENCY_LIMITED' }, { err_code: 'FREQUENCY_LIMITED', err_code_des: '频率限制' }],
    [
      { errCode: 'SYSTEMERROR', errCodeDes: '忙', apply: true },
      { err_code: 'SYSTEMERROR', err_code_des: '忙' },
    ],
    [{ returnMsg: '系统繁忙' }, { return_code: 'FAIL', return_msg: '系统繁忙' }],
    [{ fields: { total_fee: '7' } }, { result_code: 'SUCCESS', total_fee: '7' }],
    [{ signType: 'HMAC-SHA256' }, { sign: expect.stringMatching(/^[0-9A-F]{64}$/) as string }],
  ])('the next orderquery meets %j', async (fault, expected) => {
    await scene.place('order-1');
    expect(await command('fault', { operation: 'orderquery', outTradeNo: 'order-1', ...fault })).toEqual({
      status: 200,
      body: { scripted: true },
    });
    expect(await scene.call('orderquery', { out_trade_no: 'order-1' })).toMatchObject(expected);
    expect(await scene.call('orderquery', { out_trade_no: 'order-1' })).toMatchObject({ trade_state: 'NOTPAY' });
  });

  test('the next refund ends as it is told, when the clock is moved', async () => {
    await scene.place('order-1');
    await command('pay', { outTradeNo: 'order-1' });
    await command('next-refund', { status: 'CHANGE' });
    await scene.call('refund', { out_trade_no: 'order-1', out_refund_no: 'R1', total_fee: '1990', refund_fee: '1' });
    expect(await command('advance', { seconds: 3600 })).toEqual({ status: 200, body: { advanced: 3600 } });
    expect(await read('refunds')).toMatchObject([{ outRefundNo: 'R1', status: 'CHANGE', source: 'API' }]);
  });

  test('clear-faults forgets', async () => {
    await command('fault', { operation: 'orderquery', drop: 'ignore' });
    expect(await command('clear-faults', {})).toMatchObject({ status: 200 });
    await scene.place('order-1');
    expect(await scene.call('orderquery', { out_trade_no: 'order-1' })).toMatchObject({ result_code: 'SUCCESS' });
  });

  test.each([
    ['fault', { operation: 'micropay', errCode: 'X' }, 'BODY', 'operation'],
    ['fault', { operation: 'toString', errCode: 'X' }, 'BODY', 'operation'],
    ['fault', { errCode: 'X' }, 'BODY', 'operation is missing'],
    ['fault', { operation: 'refund' }, 'BODY', 'name one of'],
    ['fault', { operation: 'refund', errCode: 'X', status: 502 }, 'BODY', 'name one of'],
    ['fault', { operation: 'refund', drop: 'later' }, 'BODY', 'drop must be'],
    ['fault', { operation: 'refund', signType: 'SHA1' }, 'BODY', 'signType must be'],
    ['fault', { operation: 'refund', status: 99 }, 'RANGE', 'status must be'],
    ['next-refund', { status: 'FAIL' }, 'RANGE', 'status must be'],
    ['advance', {}, 'BODY', 'seconds is missing'],
    ['advance', { seconds: -1 }, 'RANGE', 'ahead'],
  ])('%s refuses %j', async (name, body, code, message) => {
    const error = { code, message: expect.stringContaining(message) as string };
    expect(await command(name, body)).toMatchObject({ status: 400, body: { error } });
  });
});
