import type { SimulatorEvent } from '@wechat-h5/simulator';
import type { Comparison } from './comparison.js';
import { makePayment } from './journey.js';
import { Narrator } from './narrator.js';
import { phoneAddress } from './phone-address.js';
import { FRAMEWORKS, startShop, type RunningShop } from './shop-server.js';
import { startSimulatorHere } from './simulator.fixture.js';

type HereSimulator = Awaited<ReturnType<typeof startSimulatorHere>>;

let simulator: HereSimulator;
let shop: RunningShop;
let told: string;

afterEach(async () => {
  await shop.stop();
  await simulator.stop();
});

async function start(framework: string, retell?: (event: SimulatorEvent) => SimulatorEvent): Promise<void> {
  told = '';
  simulator = await startSimulatorHere(retell);
  const createShop = await FRAMEWORKS[framework]?.();
  if (!createShop) throw new TypeError(`no shop for ${framework}`);
  shop = await startShop(createShop, simulator);
}

async function journey(patience = 5_000): Promise<readonly Comparison[]> {
  const narrator = new Narrator({ write: (text) => (told += text), colour: false });
  return makePayment({ shop, simulator, narrator, phoneAddress: await phoneAddress(), patience });
}

function disagreements(comparisons: readonly Comparison[]): readonly string[] {
  return comparisons.filter(({ agree }) => !agree).map(({ fact }) => fact);
}

/** A field of what WeChat Pay's record says it received or sent. */
const lie =
  (type: SimulatorEvent['type'], operation: string, name: string, value: string) =>
  (event: SimulatorEvent): SimulatorEvent =>
    event.type === type && event.operation === operation
      ? { ...event, fields: { ...event.fields, [name]: value } }
      : event;

describe.each(Object.keys(FRAMEWORKS))('with %s', (framework) => {
  test('a payment is made, told in ten steps, and every record agrees', async () => {
    await start(framework);
    const comparisons = await journey();
    expect(disagreements(comparisons)).toEqual([]);
    const steps = [...told.matchAll(/^ *(\d+|!) {2}\S/gm)].map(([, step]) => step);
    expect(steps).toEqual(['1', '2', '3', '4', '!', '!', '5', '6', '7', '8', '9', '10']);

    const [order] = simulator.simulator.orders.list();
    expect(order).toMatchObject({ tradeState: 'SUCCESS', spbillCreateIp: await phoneAddress() });
    for (const value of [
      order?.outTradeNo,
      order?.payment?.transactionId,
      order?.links[0]?.mwebUrl,
      order?.spbillCreateIp,
    ]) {
      expect(told).toContain(value);
    }
    expect(shop.tickets()).toMatchObject([{ outTradeNo: order?.outTradeNo }]);
    expect(told).toContain('refused SIGN_INVALID');
  });
});

test('X11: the API key is not told', async () => {
  await start('express');
  await journey();
  expect(told).not.toContain(simulator.merchant.apiKey);
  expect(JSON.stringify([shop.requests.list(), shop.replies.list()])).not.toContain(simulator.merchant.apiKey);
});

test.each<[fact: string, ...Parameters<typeof lie>]>([
  ['out_trade_no', 'gateway.request', 'unifiedorder', 'out_trade_no', 'another_order'],
  ['total_fee', 'gateway.request', 'unifiedorder', 'total_fee', '1'],
  ['spbill_create_ip', 'gateway.request', 'unifiedorder', 'spbill_create_ip', '127.0.0.9'],
  ['mweb_url', 'gateway.reply', 'unifiedorder', 'mweb_url', 'http://127.0.0.1/other'],
  ['redirect_url', 'cashier.request', 'open', 'redirect_url', 'http://127.0.0.1/other'],
])('a record that lies about %s is found out', async (fact, ...change) => {
  await start('express', lie(...change));
  expect(disagreements(await journey())).toEqual([fact]);
});

test('a notification more than expected is found out', async () => {
  await start('express');
  simulator.simulator.faults.duplicateNotification(2);
  expect(disagreements(await journey())).toEqual(['付款入账 payments delivered']);
});

test('a lost notification ends the demo', async () => {
  await start('express');
  simulator.simulator.faults.loseNotification();
  await expect(journey(300)).rejects.toThrow('not within 300 ms: /wechat/notify at the shop');
});

test('a refused order ends the demo', async () => {
  await start('express');
  simulator.simulator.faults.nextCall('unifiedorder', { errCode: 'NOAUTH' });
  await expect(journey()).rejects.toThrow(/\/pay showed 503: 微信支付暂时没有回应/);
  expect(shop.problems.list()).toMatchObject([{ type: 'checkout-failed', code: 'GATEWAY_REFUSED' }]);
});
