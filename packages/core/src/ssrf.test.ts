import { createSimulator } from '@wechat-h5/simulator';
import { answering, atEnd, call, gatewayTo, httpServer, merchant, reply } from './gateway.fixture.js';
import { gatewayBases } from './gateway-hosts.js';
import { sign } from './signature.js';
import { buildXml, parseXml } from './xml.js';

test.each([301, 302, 303, 307, 308])(
  'X22: a redirect (%i) leads nowhere: the request holds what nobody else may see',
  async (status) => {
    let followed = 0;
    const elsewhere = await httpServer((request, response) => {
      followed++;
      request.resume().on('end', () => response.end(reply()));
    });
    const base = await answering('', status, { location: elsewhere.href });
    await expect(call(gatewayTo([base]))).rejects.toMatchObject({ code: 'GATEWAY_REPLY_INVALID' });
    expect(followed).toBe(0);
  },
);

test('X22: only the hosts of the gateway option are ever called, whatever a reply says', async () => {
  const asked: string[] = [];
  const base = new URL(
    (await answering(reply({ mweb_url: 'http://169.254.169.254/' }))).href.replace('127.0.0.1', 'localhost'),
  );
  const gateway = gatewayTo([base], {
    lookup: (host, _options, done) => {
      asked.push(host);
      done(null, [{ address: '127.0.0.1', family: 4 }]);
    },
  });
  await call(gateway);
  await gateway.call('/pay/orderquery', merchant, { out_trade_no: '../../@evil.example' }, '1').catch(() => {});
  expect(new Set(asked)).toEqual(new Set(['localhost']));
});

test.each(['http://10.0.0.1', 'http://169.254.169.254', 'http://localhost.evil.example', 'file:///etc/passwd'])(
  'X22: %s is no gateway',
  (base) => {
    expect(() => gatewayBases(base)).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }));
  },
);

describe('X22: the simulator notifies this machine alone', () => {
  async function place(
    options: Parameters<typeof createSimulator>[0],
    notifyUrl: string,
  ): Promise<Record<string, string>> {
    const simulator = await createSimulator(options);
    atEnd(() => simulator.stop());
    const { appId, mchId, apiKey, h5Domains } = simulator.merchant;
    const fields = {
      appid: appId,
      mch_id: mchId,
      nonce_str: '5K8264ILTKCH16CQ2502SI8ZNMTM67VS',
      body: 'Shop - tea',
      out_trade_no: 'ORDER-0001',
      total_fee: '1',
      spbill_create_ip: '127.0.0.1',
      notify_url: notifyUrl,
      trade_type: 'MWEB',
      scene_info: JSON.stringify({
        h5_info: { type: 'Wap', wap_url: `https://${h5Domains[0]}`, wap_name: 'shop' },
      }),
    };
    const response = await fetch(`${simulator.url}/pay/unifiedorder`, {
      method: 'POST',
      body: buildXml({ ...fields, sign: sign(fields, apiKey) }),
    });
    return parseXml(await response.text());
  }

  test.each([
    'http://10.0.0.1/notify',
    'http://169.254.169.254/latest/meta-data',
    'https://pay.example.com/notify',
    'http://127.0.0.1.evil.example/notify',
    'http://[::ffff:10.0.0.1]/notify',
    'http://0.0.0.0/notify',
    'http://2130706433.example/notify',
  ])('X22: not %s', async (notifyUrl) => {
    expect(await place({}, notifyUrl)).not.toMatchObject({ result_code: 'SUCCESS' });
  });

  test('X22: unless that was asked for', async () => {
    expect(await place({}, 'http://127.0.0.1:9/notify')).toMatchObject({ result_code: 'SUCCESS' });
    expect(await place({ allowRemoteNotifyUrl: true }, 'https://pay.example.com/notify')).toMatchObject({
      result_code: 'SUCCESS',
    });
  });
});
