import { signedNotification } from '@wechat-h5/core/testing';
import express, { type Express } from 'express';
import request from 'supertest';
import { wechatH5Notify } from './index.js';

const express4 = jest.requireActual<typeof express>('express4');

const MERCHANT = { appId: 'wx2421b1c4370ec43b', mchId: '10000100', apiKey: '192006250b4c09247ec02edce69f6a2d' };
const NOTIFY = '/wechat/notify';

function notify() {
  return wechatH5Notify({
    merchant: MERCHANT,
    notifyUrl: `https://shop.example.com${NOTIFY}`,
    findOrder: async () => ({ totalFee: 1 }),
    onPaid: () => {},
    onProblem: () => {},
  });
}

/** The status and word that come back for a genuine notification. */
async function post(app: Express, path: string): Promise<string> {
  const reply = await request(app).post(path).type('text/xml').send(signedNotification({}, MERCHANT));
  return `${reply.status} ${/SUCCESS|FAIL/.exec(reply.text)?.[0] ?? ''}`.trim();
}

describe.each([
  ['Express 5', express, '/{*path}'],
  ['Express 4', express4, '*'],
])('%s', (_name, framework, everyPath) => {
  describe('bare, it leaves other paths alone', () => {
    test('behind a route that passed the request on', async () => {
      const app = framework().all(everyPath, (_request, _response, next) => next());
      app.use(notify());
      expect(await post(app, '/orders')).toBe('404');
      expect(await post(app, NOTIFY)).toBe('200 SUCCESS');
    });

    test('in a router without a path, behind a route that passed the request on', async () => {
      const router = framework.Router().all(everyPath, (_request, _response, next) => next());
      const app = framework().use(router.use(notify()));
      expect(await post(app, '/orders')).toBe('404');
      expect(await post(app, NOTIFY)).toBe('200 SUCCESS');
    });

    test('behind a router that was mounted and passed the request on', async () => {
      const app = framework().use('/api', (_request, _response, next) => next());
      app.use(notify());
      expect(await post(app, '/api/orders')).toBe('404');
      expect(await post(app, NOTIFY)).toBe('200 SUCCESS');
    });

    test('in an application inside the application', async () => {
      const app = framework().use(framework().use(notify()));
      expect(await post(app, '/orders')).toBe('404');
      expect(await post(app, NOTIFY)).toBe('200 SUCCESS');
    });
  });

  describe('it answers whatever reaches it', () => {
    test('in a route, also when it is mounted bare as well', async () => {
      const both = notify();
      const app = framework().use(both);
      app.post('/hook', both);
      expect(await post(app, '/hook')).toBe('200 SUCCESS');
      expect(await post(app, NOTIFY)).toBe('200 SUCCESS');
      expect(await post(app, '/orders')).toBe('404');
    });

    test('in a route, inside a function of somebody else', async () => {
      const inner = notify();
      const app = framework();
      app.post('/hook', (req, res, next) => inner(req, res, next));
      expect(await post(app, '/hook')).toBe('200 SUCCESS');
    });

    test('in an application that is mounted under a path', async () => {
      const app = framework().use('/pay', framework().use(notify()));
      expect(await post(app, '/pay')).toBe('200 SUCCESS');
      expect(await post(app, '/pay/anything')).toBe('200 SUCCESS');
      expect(await post(app, NOTIFY)).toBe('404');
    });
  });
});
