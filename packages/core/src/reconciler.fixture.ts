import { createSimulator, type Simulator } from '@wechat-h5/simulator';
import { createWechatH5, MemoryOrderBook, type Problem, type WechatH5, type WechatH5Options } from './index.js';
import type { OrderKey, OrderRecord } from './order-book.js';
import { signedNotification } from './testing.js';
import { partsOf } from './wechat-h5.js';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** A shop whose notifications are all lost, a book and a simulated WeChat Pay that share one clock, which only {@link pass} moves. */
export interface ReconcilerScene {
  readonly simulator: Simulator;
  readonly book: MemoryOrderBook;
  readonly paid: string[];
  readonly problems: Problem[];
  /** What `onPaid` does beside taking note. */
  onPaid: (outTradeNo: string) => Promise<void> | void;
  /** A machine of the shop: an instance with the scene's book. */
  machine(options?: Partial<WechatH5Options>): WechatH5;
  order(wechatH5: WechatH5, outTradeNo?: string, more?: { orderRef?: string; clientIp?: string }): Promise<void>;
  /** Pays, and the notification is lost. */
  pay(outTradeNo?: string): Promise<void>;
  /** Time goes by, step by step, and each step `wechatH5` looks at all that is due. */
  pass(wechatH5: WechatH5, milliseconds: number, step?: number): Promise<void>;
  /** Time goes by, and nobody looks. */
  skip(milliseconds: number): void;
  get(outTradeNo?: string): Promise<OrderRecord | undefined>;
  key(outTradeNo?: string): OrderKey;
  notify(wechatH5: WechatH5, fields?: Record<string, string>): Promise<string>;
  /** When each call of `operation` came, in seconds since the beginning. */
  calls(operation: string): number[];
  readonly now: () => number;
  stop(): Promise<void>;
}

const START = new Date('2026-01-01T04:00:00Z').getTime();
export const ORDER_NO = 'ORDER-0001';

export async function openReconcilerScene(): Promise<ReconcilerScene> {
  let now = START;
  const clock = (): Date => new Date(now);
  const simulator = await createSimulator({ timeScale: 0.001, now: clock });
  const book = new MemoryOrderBook({ now: clock });
  const { mchId } = simulator.merchant;
  const scene: ReconcilerScene = {
    simulator,
    book,
    paid: [],
    problems: [],
    onPaid: () => {},
    machine: (options) =>
      createWechatH5({
        merchant: simulator.merchant,
        gateway: simulator.url,
        notifyUrl: 'http://127.0.0.1:1/notify',
        orderBook: book,
        onPaid: async ({ outTradeNo }) => {
          await scene.onPaid(outTradeNo);
          scene.paid.push(outTradeNo);
        },
        onProblem: (problem) => scene.problems.push(problem),
        ...options,
      }),
    order: async (wechatH5, outTradeNo = ORDER_NO, more = {}) => {
      await wechatH5.createOrder({ outTradeNo, body: 'Tea', totalFee: 100, clientIp: '127.0.0.5', ...more });
    },
    pay: async (outTradeNo = ORDER_NO) => {
      simulator.faults.loseNotification({ outTradeNo });
      await simulator.pay(outTradeNo);
    },
    pass: async (wechatH5, milliseconds, step = 5000) => {
      const until = now + milliseconds;
      while (now < until) {
        now = Math.min(until, now + step);
        await lookAtAll(wechatH5);
      }
    },
    skip: (milliseconds) => {
      now += milliseconds;
    },
    get: (outTradeNo) => book.get(scene.key(outTradeNo)),
    key: (outTradeNo = ORDER_NO) => ({ mchId, outTradeNo }),
    notify: async (wechatH5, fields) => {
      const message = { out_trade_no: ORDER_NO, total_fee: '100', transaction_id: '4200000001', ...fields };
      const body = Buffer.from(signedNotification(message, simulator.merchant));
      return (await wechatH5.handleNotification({ method: 'POST', body })).body;
    },
    calls: (operation) =>
      simulator.events
        .list()
        .filter((event) => event.type === 'gateway.request' && event.operation === operation)
        .map(({ at }) => Math.round((new Date(at).getTime() - START) / 1000)),
    now: () => now,
    stop: () => simulator.stop(),
  };
  return scene;
}

/** One look takes as many orders as `concurrency` lets it. */
async function lookAtAll(wechatH5: WechatH5): Promise<void> {
  const reconciler = partsOf(wechatH5)?.reconciler;
  if (reconciler === undefined) throw new Error('not an instance');
  while ((await reconciler.look()) > 0);
}
