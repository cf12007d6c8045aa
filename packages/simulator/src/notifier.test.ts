import { createHash, createHmac } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { eventually, HANG, openScene, type Scene } from './merchant.fixture.js';
import { RETRY_SECONDS } from './notifier.js';
import { parseXml } from './xml.js';

let scene: Scene;
beforeEach(async () => {
  scene = await openScene({ now: () => new Date('2026-11-23T04:00:00Z') });
});
afterEach(() => scene.stop());

function independentSign(fields: Record<string, string>, key: string, type: 'md5' | 'sha256'): string {
  const { sign: _, ...signed } = fields;
  const text = `${Object.keys(signed)
    .sort()
    .map((name) => `${name}=${signed[name]}`)
    .join('&')}&key=${key}`;
  const hash = type === 'md5' ? createHash('md5') : createHmac('sha256', key);
  return hash.update(text).digest('hex').toUpperCase();
}

test('tells a payment with the official fields, signed as the order was, without sign_type', async () => {
  await scene.place('told-order', { attach: 'shelf 7', device_info: 'WEB' });
  const { order, attempts } = await scene.simulator.pay('told-order');
  const fields = { ...parseXml(scene.notified[0] ?? '') };
  expect(fields).toEqual({
    return_code: 'SUCCESS',
    appid: scene.simulator.merchant.appId,
    mch_id: scene.simulator.merchant.mchId,
    device_info: 'WEB',
    attach: 'shelf 7',
    nonce_str: expect.stringMatching(/^\w{32}$/),
    sign: independentSign(fields, scene.simulator.merchant.apiKey, 'md5'),
    result_code: 'SUCCESS',
    openid: order.payment?.openId,
    is_subscribe: 'N',
    trade_type: 'MWEB',
    bank_type: 'OTHERS',
    total_fee: '1990',
    fee_type: 'CNY',
    cash_fee: '1990',
    transaction_id: order.payment?.transactionId,
    out_trade_no: 'told-order',
    time_end: '20261123120000',
  });
  expect(attempts).toEqual(scene.simulator.notifications.list('told-order'));
  expect(attempts).toMatchObject([
    {
      kind: 'payment',
      attempt: 1,
      url: `${scene.shopUrl}/notify`,
      requestBody: scene.notified[0],
      replyStatus: 200,
      verdict: 'acknowledged',
      reason: 'OK',
    },
  ]);
  expect(scene.simulator.notifications.nextAttemptAt('told-order')).toBeUndefined();
});

test('an order signed with HMAC-SHA256 is told with HMAC-SHA256', async () => {
  await scene.call('unifiedorder', scene.order('hmac-order'), { signType: 'HMAC-SHA256' });
  await scene.simulator.pay('hmac-order');
  const fields = { ...parseXml(scene.notified[0] ?? '') };
  expect(fields['sign']).toBe(independentSign(fields, scene.simulator.merchant.apiKey, 'sha256'));
  expect(fields).not.toHaveProperty('sign_type');
});

test('the request is a text/xml POST over a connection of its own', async () => {
  const seen: object[] = [];
  scene.answer = (_body, request) => {
    seen.push({
      method: request.method,
      url: request.url,
      type: request.headers['content-type'],
      connection: request.headers.connection,
    });
    return undefined;
  };
  await scene.place('plain-order');
  await scene.simulator.pay('plain-order');
  expect(seen).toEqual([{ method: 'POST', url: '/notify', type: 'text/xml', connection: 'close' }]);
});

const XML = (code: string, message = '<return_msg>OK</return_msg>'): string =>
  `<xml><return_code>${code}</return_code>${message}</xml>`;

test.each([
  [
    'the documented answer',
    200,
    '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>',
    'OK',
  ],
  [
    'the same without CDATA, with blanks between',
    200,
    `<xml>\n  <return_code>SUCCESS</return_code>\n  <return_msg>OK</return_msg>\n</xml>\n`,
    'OK',
  ],
  ['another status', 201, XML('SUCCESS'), 'HTTP status 201 instead of 200'],
  ['a redirect', 302, XML('SUCCESS'), 'HTTP status 302 instead of 200'],
  ['an error', 500, 'oops', 'HTTP status 500 instead of 200'],
  ['FAIL', 200, XML('FAIL'), 'return_code is not SUCCESS'],
  ['lower case', 200, XML('success'), 'return_code is not SUCCESS'],
  ['a blank too many', 200, XML(' SUCCESS'), 'return_code is not SUCCESS'],
  ['no message', 200, XML('SUCCESS', ''), 'OK'],
  ['another message', 200, XML('SUCCESS', '<return_msg>later</return_msg>'), 'return_msg is not OK'],
  ['the word', 200, 'success', 'the body is not the success XML'],
  ['nothing', 200, '', 'the body is not the success XML'],
  ['JSON', 200, '{"return_code":"SUCCESS"}', 'the body is not the success XML'],
  ['a page', 200, '<!doctype html><p>ok', 'the body is not the success XML'],
  ['written-out line ends', 200, '<xml>\\n<return_code>SUCCESS</return_code></xml>', 'the body is not the success XML'],
])('the reply: %s', async (_what, status, body, reason) => {
  scene.answer = (_body, _request, response) => {
    response.statusCode = status;
    return body;
  };
  await scene.place('judged-order');
  const { attempts } = await scene.simulator.pay('judged-order');
  expect(attempts).toMatchObject([
    { verdict: reason === 'OK' ? 'acknowledged' : 'refused', reason, replyStatus: status, replyBody: body },
  ]);
});

test('a shop that cannot be reached, or cuts the reply, is a refusal with its reason', async () => {
  const closed = createServer((socket) => socket.resume().end('HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n<xml>'));
  closed.unref();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address() as AddressInfo;
  await scene.place('cut-order', { notify_url: `http://127.0.0.1:${port}/` });
  const cut = await scene.simulator.pay('cut-order');
  expect(cut.attempts).toMatchObject([{ verdict: 'refused', reason: 'aborted' }]);
  expect(cut.attempts[0]).not.toHaveProperty('replyStatus');
  await new Promise((resolve) => closed.close(resolve));
  await scene.place('gone-order', { notify_url: `http://127.0.0.1:${port}/` });
  const gone = await scene.simulator.pay('gone-order');
  expect(gone.attempts).toMatchObject([{ verdict: 'refused', reason: expect.stringContaining('ECONNREFUSED') }]);
});

test('a reply that is not complete after five seconds comes too late', async () => {
  scene.answer = (_body, _request, response) => {
    response.write('<xml>');
    return HANG;
  };
  await scene.place('slow-order');
  const started = Date.now();
  const { attempts } = await scene.simulator.pay('slow-order');
  expect(attempts).toMatchObject([{ verdict: 'refused', reason: 'no complete reply within 5000 ms' }]);
  expect(Date.now() - started).toBeGreaterThanOrEqual(4_990);
  expect(Date.now() - started).toBeLessThan(7_000);
}, 10_000);

test('the official schedule: fifteen repetitions within 24 hours and 4 minutes', () => {
  expect(RETRY_SECONDS).toHaveLength(15);
  expect(RETRY_SECONDS.slice(0, 4)).toEqual([15, 15, 30, 180]);
  expect(RETRY_SECONDS.reduce((sum, seconds) => sum + seconds)).toBe(24 * 3600 + 4 * 60);
});

test('B01 repeats the same bytes until acknowledged, then is silent', async () => {
  scene.answer = () => (scene.notified.length < 4 ? 'no' : undefined);
  await scene.place('repeated-order');
  await scene.simulator.pay('repeated-order');
  // 15 s after now, a thousandfold faster.
  expect(scene.simulator.notifications.nextAttemptAt('repeated-order')).toEqual(new Date('2026-11-23T04:00:00.015Z'));
  await eventually(() => scene.simulator.notifications.list('repeated-order').length === 4);
  await new Promise((resolve) => setTimeout(resolve, 250));
  const attempts = scene.simulator.notifications.list('repeated-order');
  expect(attempts.map(({ attempt, verdict }) => [attempt, verdict])).toEqual([
    [1, 'refused'],
    [2, 'refused'],
    [3, 'refused'],
    [4, 'acknowledged'],
  ]);
  expect(new Set(scene.notified).size).toBe(1);
  expect(new Set(attempts.map(({ notificationId }) => notificationId)).size).toBe(1);
  expect(scene.simulator.notifications.nextAttemptAt('repeated-order')).toBeUndefined();
});

test('gives up after the sixteenth delivery', async () => {
  await scene.stop();
  scene = await openScene({ timeScale: 1e-6 });
  scene.answer = () => 'no';
  await scene.place('hopeless-order');
  await scene.simulator.pay('hopeless-order');
  await eventually(() => scene.notified.length === 16);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(scene.notified).toHaveLength(16);
  expect(scene.simulator.notifications.list().map(({ attempt }) => attempt)).toEqual(
    Array.from({ length: 16 }, (_, index) => index + 1),
  );
});

test('B01 sends copies at the same moment over as many sockets', async () => {
  await scene.place('doubled-order');
  await scene.simulator.pay('doubled-order');
  const ports = new Set<number | undefined>();
  let waiting = 0;
  scene.answer = (_body, request, response) => {
    ports.add(request.socket.remotePort);
    waiting++;
    // Nobody is answered until all three are here: they would never come if they came one by one.
    const timer = setInterval(() => {
      if (waiting < 3) return;
      clearInterval(timer);
      response.end(XML('SUCCESS'));
    }, 1);
    return HANG;
  };
  const attempts = await scene.simulator.notifications.send('doubled-order', { copies: 3 });
  expect(attempts.map(({ verdict }) => verdict)).toEqual(['acknowledged', 'acknowledged', 'acknowledged']);
  expect(ports.size).toBe(3);
  expect(new Set(scene.notified).size).toBe(1);
});

test('only what was paid can be told again', async () => {
  await scene.place('unpaid-order');
  await expect(scene.simulator.notifications.send('unpaid-order')).rejects.toMatchObject({ code: 'ORDER_NOT_PAID' });
  await expect(scene.simulator.notifications.send('never-placed')).rejects.toMatchObject({ code: 'ORDER_UNKNOWN' });
  await scene.simulator.pay('unpaid-order');
  await expect(scene.simulator.notifications.send('unpaid-order', { copies: 101 })).rejects.toThrow(RangeError);
});

test('records the delivery and its reply', async () => {
  await scene.place('recorded-order');
  await scene.simulator.pay('recorded-order');
  expect(scene.simulator.events.list().slice(-2)).toMatchObject([
    {
      type: 'notification.request',
      operation: 'notify',
      peer: `${scene.shopUrl}/notify`,
      outTradeNo: 'recorded-order',
      verdict: 'payment',
      fields: { transaction_id: expect.stringMatching(/^9900000000\d{18}$/) },
    },
    { type: 'notification.reply', status: 200, verdict: 'acknowledged', reason: 'OK', outTradeNo: 'recorded-order' },
  ]);
});
