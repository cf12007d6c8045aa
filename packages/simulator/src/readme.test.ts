import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { compileFunction } from 'node:vm';
import { createSimulator, type SimulatedMerchant } from './index.js';
import { isSignedBy, sign } from './signing.js';
import { buildXml, parseXml } from './xml.js';

const README = readFileSync(join(__dirname, '../README.md'), 'utf8');
const [program = ''] = [...README.matchAll(/^```js\n(.*?)^```$/gms)].map(([, block = '']) => block);
const IMPORTS = /^import \{ (\w+) \} from '([^']+)';.*$/gm;

const reply = (code: string): string => buildXml({ return_code: code });

/** The shop that the README takes for granted, as small as one can be that still looks at what it is told. */
async function startShop({ gateway, merchant }: { gateway: string; merchant: SimulatedMerchant }) {
  const delivered: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const fields = parseXml(body);
      const { out_trade_no: number = '', total_fee: totalFee } = fields;
      const isOurs = isSignedBy(fields, merchant.apiKey, 'MD5') && totalFee === '1990';
      if (isOurs && !delivered.includes(number)) delivered.push(number);
      response.end(reply(isOurs ? 'SUCCESS' : 'FAIL'));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    delivered,
    async order(body: string): Promise<string> {
      const message = {
        appid: merchant.appId,
        mch_id: merchant.mchId,
        nonce_str: 'n'.repeat(32),
        body,
        out_trade_no: 'TEA-0001',
        total_fee: '1990',
        spbill_create_ip: '127.0.0.1',
        notify_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/notify`,
        trade_type: 'MWEB',
        scene_info: '{"h5_info":{"type":"Wap","wap_url":"https://shop.example","wap_name":"Tea"}}',
      };
      const signed = buildXml({ ...message, sign: sign(message, merchant.apiKey, 'MD5') });
      const answer = await fetch(`${gateway}/pay/unifiedorder`, { method: 'POST', body: signed });
      const fields = parseXml(await answer.text());
      if (!fields['mweb_url']) throw new Error(`not ordered: ${JSON.stringify(fields)}`);
      return message.out_trade_no;
    },
    async stop(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('the README’s test imports this package and a shop', () => {
  expect([...program.matchAll(IMPORTS)].map(([, name, from]) => [name, from])).toEqual([
    ['createSimulator', '@wechat-h5/simulator'],
    ['startShop', './shop.js'],
  ]);
});

// It calls test() itself, as in the reader's own file.
describe('the README’s test', () => {
  const define = compileFunction(program.replaceAll(IMPORTS, ''), ['createSimulator', 'startShop', 'test', 'expect']);
  const running: { stop(): Promise<void> }[] = [];
  // A test that fails half-way stops nothing, and would hold the process.
  afterAll(() => Promise.all(running.map((one) => one.stop())));
  const kept =
    <Given, One extends { stop(): Promise<void> }>(start: (given: Given) => Promise<One>) =>
    async (given: Given): Promise<One> => {
      const one = await start(given);
      running.push(one);
      return one;
    };
  define(kept(createSimulator), kept(startShop), test, expect);
});

test.each(['docs/images/dashboard.png', 'docs/images/cashier.png'])('the README shows %s', (path) => {
  expect(README).toContain(`../../${path}`);
  expect(readFileSync(join(__dirname, '../../..', path)).length).toBeLessThan(100_000);
});
