import express from 'express';
import request from 'supertest';
import { wechatH5, wechatH5Doctor, wechatH5IpProbe } from './index.js';

const express4 = jest.requireActual<typeof express>('express4');

const SECRET = 'a-secret-of-the-operator';
const OPTIONS = {
  merchant: {
    appId: 'wx2421b1c4370ec43b',
    mchId: '10000100',
    apiKey: '192006250b4c09247ec02edce69f6a2d',
    h5Domains: ['shop.example'],
  },
  notifyUrl: 'https://pay.shop.example/notify',
  doctorSecret: SECRET,
  ipProbe: { url: 'https://v4.shop.example/v4', secret: 'probe-secret-of-the-shop' },
  onProblem: () => {},
};

describe.each([
  ['Express 5', express],
  ['Express 4', express4],
])('%s', (_name, framework) => {
  test('the doctor sees the peer and the application’s own trust', async () => {
    const app = framework()
      .use(wechatH5({ ...OPTIONS, clientIp: { trust: 'express' } }))
      .use(wechatH5Doctor());
    app.set('trust proxy', ['127.0.0.1', '::ffff:127.0.0.1']);
    const reply = await request(app).get('/wechat-h5/doctor').auth('me', SECRET).set('X-Forwarded-For', '8.8.8.8');
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({
      verdict: 'fine',
      clientIp: { peer: { verdict: 'trusted' }, clientIp: { ip: '8.8.8.8' } },
    });
  });

  test('without the secret 401, without the option it does not exist, elsewhere it is not there', async () => {
    const { doctorSecret: _, ...off } = OPTIONS;
    expect((await request(framework().use(wechatH5Doctor(OPTIONS))).get('/wechat-h5/doctor')).status).toBe(401);
    expect(
      (
        await request(framework().use(wechatH5Doctor(off)))
          .get('/wechat-h5/doctor')
          .auth('me', SECRET)
      ).status,
    ).toBe(404);
    expect(
      (
        await request(framework().use(wechatH5Doctor(OPTIONS)))
          .get('/elsewhere')
          .auth('me', SECRET)
      ).status,
    ).toBe(404);
    expect(
      (
        await request(framework().use('/ops', wechatH5Doctor(OPTIONS)))
          .get('/ops')
          .auth('me', SECRET)
      ).status,
    ).toBe(200);
  });

  test('the probe answers pages of the shop', async () => {
    const app = framework().use(wechatH5IpProbe(OPTIONS));
    const sid = 'A'.repeat(43);
    const reply = await request(app).get(`/v4?sid=${sid}`).set('Origin', 'https://shop.example');
    expect(reply.headers['access-control-allow-origin']).toBe('https://shop.example');
    // A visitor on this machine has no public address to vouch for.
    expect(reply.body).toEqual({ token: null });
    expect((await request(app).get(`/v4?sid=${sid}`).set('Origin', 'https://evil.example')).status).toBe(403);
    expect((await request(app).get('/other')).status).toBe(404);
  });

  test('the probe’s field and cookie for the page with the order form', async () => {
    const app = framework().use(wechatH5(OPTIONS));
    app.get('/', (req, res) => {
      const { html, setCookie } = req.wechatH5.ipProbePage();
      if (setCookie !== undefined) res.append('Set-Cookie', setCookie);
      res.send(html);
    });
    const reply = await request(app).get('/');
    expect(reply.text).toContain('wechat_h5_ip');
    expect(reply.headers['set-cookie']?.[0]).toContain('wechat_h5_probe=');
  });
});
