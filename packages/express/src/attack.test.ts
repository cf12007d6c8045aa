import { signedNotification } from '@wechat-h5/core/testing';
import express from 'express';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { wechatH5Notify } from './index.js';

const MERCHANT = { appId: 'wx2421b1c4370ec43b', mchId: '10000100', apiKey: '192006250b4c09247ec02edce69f6a2d' };
const OPTIONS = { merchant: MERCHANT, notifyUrl: 'https://pay.shop.example/notify' };
const BODY = signedNotification({ out_trade_no: 'ORDER-0001', total_fee: '100' }, MERCHANT);

let server: Server | undefined;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server?.closeAllConnections();
  server?.close();
});

async function serve(app: express.Express): Promise<string> {
  server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/notify`;
}

async function post(url: string): Promise<string> {
  const reply = await fetch(url, { method: 'POST', body: BODY, headers: { 'content-type': 'text/xml' } });
  return reply.text();
}

test('without onPaid, a table that never answers costs FAIL in time and no place', async () => {
  let hangs = true;
  const problems: string[] = [];
  const app = express();
  app.use(
    wechatH5Notify({
      ...OPTIONS,
      maxConcurrentNotifications: 1,
      findOrder: () => (hangs ? new Promise(() => {}) : Promise.resolve({ totalFee: 100 })),
      onProblem: ({ code }) => problems.push(code),
    }),
  );
  app.use((req, res, next) => void req.wechatH5.acknowledge().then(() => next(), next));
  const url = await serve(app);
  expect(await post(url)).toContain('FAIL');
  expect(problems).toEqual(['HANDLER_TIMEOUT']);
  hangs = false;
  expect(await post(url)).toContain('SUCCESS');
});

test('X34: strangers who open notifications and do not send them keep no genuine one out', async () => {
  const problems = new Set<string>();
  const app = express();
  app.use(
    wechatH5Notify({
      ...OPTIONS,
      maxConcurrentNotifications: 2,
      findOrder: async () => ({ totalFee: 100 }),
      onPaid: () => {},
      onProblem: ({ code }) => problems.add(code),
    }),
  );
  const url = await serve(app);
  for (let n = 0; n < 60; n++) {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('error', () => {});
    sockets.push(socket);
    await once(socket, 'connect');
    socket.write('POST /notify HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nContent-Length: 500\r\n\r\n<xml>');
  }
  expect(await post(url)).toContain('SUCCESS');
  expect([...problems]).toEqual(['OVERLOADED']);
});

test('acknowledging twice at once is acknowledging once; forgetting to await harms nobody', async () => {
  const app = express();
  app.use(wechatH5Notify({ ...OPTIONS, findOrder: async () => ({ totalFee: 100 }), onProblem: () => {} }));
  const outcomes: PromiseSettledResult<void>[] = [];
  app.use((req, res, next) => {
    Promise.allSettled([req.wechatH5.acknowledge(), req.wechatH5.acknowledge()]).then((settled) => {
      outcomes.push(...settled);
      next();
    }, next);
  });
  expect(await post(await serve(app))).toContain('SUCCESS');
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
});

test('a route that acknowledges without awaiting and answers: FAIL, and no unhandled rejection', async () => {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', listener);
  const app = express();
  app.use(wechatH5Notify({ ...OPTIONS, findOrder: async () => ({ totalFee: 100 }), onProblem: () => {} }));
  app.use((req, res) => {
    void req.wechatH5.acknowledge();
    res.send('thanks');
  });
  expect(await post(await serve(app))).toContain('FAIL');
  await new Promise((resolve) => setTimeout(resolve, 50));
  process.off('unhandledRejection', listener);
  expect(unhandled).toEqual([]);
});

test.each([
  ['WECHAT_PAY_API_KEY', '"192006250b4c09247ec02edce69f6a2d"'],
  ['WECHAT_PAY_TRUSTED_PROXIES', 'true'],
  ['WECHAT_PAY_GATEWAY', 'Mainland'],
  ['WECHAT_PAY_NOTIFY_URL', '/notify'],
])('a mistake in %s is told by that name', (name, value) => {
  const good = {
    WECHAT_PAY_APP_ID: MERCHANT.appId,
    WECHAT_PAY_MCH_ID: MERCHANT.mchId,
    WECHAT_PAY_API_KEY: MERCHANT.apiKey,
    WECHAT_PAY_NOTIFY_URL: OPTIONS.notifyUrl,
  };
  const before = { ...process.env };
  Object.assign(process.env, good, { [name]: value });
  try {
    expect(() => wechatH5Notify({ onPaid: () => {} })).toThrow(
      expect.objectContaining({
        field: name,
        message: expect.stringContaining(name),
        hint: expect.stringMatching(/./),
      }),
    );
  } finally {
    process.env = before;
  }
});
