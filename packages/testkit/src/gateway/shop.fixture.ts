import './clock.js';
import { createWechatH5, isWechatH5Error, type WechatH5Options } from '@wechat-h5/core';
import { closeInstance } from '@wechat-h5/core/adapter';
import { createInterface } from 'node:readline';

/** What the test tells the process, one JSON a line. */
export type ShopCommand =
  { readonly order: string } | { readonly orders: number; readonly prefix: string } | { readonly query: string };

/** What the process tells, one JSON a line. */
export type ShopReport =
  | { readonly ready: true; readonly now: number }
  | { readonly done: string; readonly outcome: string }
  | { readonly stopped: true };

const options = JSON.parse(process.env['SHOP'] ?? '') as WechatH5Options;
const shop = createWechatH5({ ...options, onProblem: () => {} });
const say = (report: ShopReport): void => void process.stdout.write(`${JSON.stringify(report)}\n`);

async function outcomeOf(work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    if (!isWechatH5Error(error)) throw error;
    return `${error.code} ${(error.cause as NodeJS.ErrnoException | undefined)?.code ?? ''}`.trim();
  }
}

const place = (outTradeNo: string): Promise<string> =>
  outcomeOf(async () => {
    const { prepayId } = await shop.createOrder({
      outTradeNo,
      body: 'Shop - tea',
      totalFee: 1990,
      clientIp: '127.0.0.1',
    });
    return `created ${prepayId}`;
  });

const input = createInterface({ input: process.stdin }).on(
  'line',
  (line) => void obey(JSON.parse(line) as ShopCommand),
);

async function obey(command: ShopCommand): Promise<void> {
  if ('order' in command) say({ done: command.order, outcome: await place(command.order) });
  else if ('query' in command) {
    const outTradeNo = command.query;
    say({
      done: `query ${outTradeNo}`,
      outcome: await outcomeOf(async () => (await shop.queryOrder({ outTradeNo })).tradeState),
    });
  } else {
    const numbers = Array.from({ length: command.orders }, (_, n) => `${command.prefix}-${n}`);
    await Promise.all(numbers.map(async (number) => say({ done: number, outcome: await place(number) })));
  }
}

process.once('SIGTERM', () => {
  input.close();
  process.stdin.destroy();
  void closeInstance(shop).then(() => say({ stopped: true }));
});
say({ ready: true, now: Date.now() });
