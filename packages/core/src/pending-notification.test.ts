import { isPending } from './adapter.js';
import { partsFor } from './adapter-instance.js';
import { createWechatH5, MemoryOrderBook, type OrderChange, type Problem, type WechatH5 } from './index.js';
import type { PendingNotification } from './pending-notification.js';
import { signedNotification } from './testing.js';

const MERCHANT = { appId: 'wx2421b1c4370ec43b', mchId: '10000100', apiKey: '192006250b4c09247ec02edce69f6a2d' };
const KEY = { mchId: MERCHANT.mchId, outTradeNo: 'ORDER-0001' };

let book: MemoryOrderBook;
let shop: WechatH5;
let problems: Problem[];
/** Stands before each change of the book. */
let before: (change: OrderChange) => Promise<void> | void;
let changes: string[];

beforeEach(() => {
  jest.useFakeTimers();
  problems = [];
  changes = [];
  before = () => {};
  book = new MemoryOrderBook();
  const apply = book.apply.bind(book);
  book.apply = async (key, change) => {
    changes.push(change.type);
    await before(change);
    return apply(key, change);
  };
  shop = make({ totalFee: 1990 });
});

afterEach(() => void jest.useRealTimers());

function make(found: { totalFee: number } | undefined): WechatH5 {
  return createWechatH5({
    merchant: MERCHANT,
    notifyUrl: 'https://pay.example.com/notify',
    orderBook: book,
    findOrder: async () => found,
    onProblem: (problem) => problems.push(problem),
  });
}

function open(fields: Record<string, string> = {}): ReturnType<ReturnType<typeof partsFor>['endpoint']['open']> {
  const body = signedNotification({ out_trade_no: KEY.outTradeNo, total_fee: '1990', ...fields }, MERCHANT);
  return partsFor(shop).endpoint.open({ method: 'POST', body: Buffer.from(body) });
}

async function opened(): Promise<PendingNotification> {
  const answer = await open();
  if (!isPending(answer)) throw new Error(`answered: ${answer.body}`);
  return answer;
}

const deliveryState = async (): Promise<string | undefined> => (await book.get(KEY))?.delivery.state;
const saying = (verdict: string): unknown =>
  expect.objectContaining({ body: expect.stringContaining(`[${verdict}]`) as unknown });

test('B12: a failed payment is recorded, and acknowledged without the route', async () => {
  (await opened()).abandon('test');
  const failed = await open({ result_code: 'FAIL', err_code: 'SYSTEMERROR' });
  expect(failed).toEqual(saying('SUCCESS'));
  expect((await book.get(KEY))?.history.at(-1)).toMatchObject({ what: 'payment-failed', detail: 'SYSTEMERROR' });
});

test('acknowledged: committed before SUCCESS goes out, and no deadline comes after it', async () => {
  const pending = await opened();
  expect(pending.order).toBe('matched');
  const running = jest.getTimerCount();
  await pending.acknowledge();
  expect(jest.getTimerCount()).toBe(running - 1);
  expect(await pending.reply).toEqual(saying('SUCCESS'));
  expect(await deliveryState()).toBe('DONE');
  pending.abandon('too late');
  expect(problems).toEqual([]);
});

test('a second call is the first one', async () => {
  const pending = await opened();
  await Promise.all([pending.acknowledge(), pending.acknowledge()]);
  await pending.acknowledge();
  expect(changes.filter((type) => type === 'complete')).toHaveLength(1);
});

test('abandoned: FAIL, one problem, no timer left, and the lease is free for the repeat', async () => {
  const pending = await opened();
  const running = jest.getTimerCount();
  expect(await deliveryState()).toBe('LEASED');
  pending.abandon('the route threw');
  pending.abandon('and ended');
  expect(jest.getTimerCount()).toBe(running - 1);
  expect(await pending.reply).toEqual(saying('FAIL'));
  expect(problems).toMatchObject([{ type: 'not-acknowledged', outTradeNo: 'ORDER-0001' }]);
  await expect(pending.acknowledge()).rejects.toMatchObject({ code: 'NOTHING_TO_ACKNOWLEDGE' });
  expect(await deliveryState()).not.toBe('LEASED');
  expect(isPending(await open())).toBe(true);
});

test('the deadline abandons it', async () => {
  const pending = await opened();
  await jest.advanceTimersByTimeAsync(4001);
  expect(await pending.reply).toEqual(saying('FAIL'));
  expect(problems).toMatchObject([{ type: 'not-acknowledged', message: expect.stringContaining('deadline') }]);
});

test('a commit that ends after the deadline is kept: its lease is not given back, and the repeat finds it done', async () => {
  const pending = await opened();
  let commit: () => void = () => {};
  before = ({ type }) => {
    if (type === 'complete') return new Promise((resolve) => (commit = resolve));
  };
  const acknowledged = pending.acknowledge();
  await jest.advanceTimersByTimeAsync(4001);
  expect(await pending.reply).toEqual(saying('FAIL'));
  commit();
  await expect(acknowledged).rejects.toMatchObject({ code: 'NOTHING_TO_ACKNOWLEDGE' });
  expect(changes).not.toContain('release');
  expect(await deliveryState()).toBe('DONE');
  expect(await open()).toEqual(saying('SUCCESS'));
});

test('with the book away for a moment, the route may try again', async () => {
  const pending = await opened();
  before = () => Promise.reject(new Error('away'));
  await expect(pending.acknowledge()).rejects.toMatchObject({ code: 'ORDER_BOOK_FAILED' });
  before = () => {};
  await pending.acknowledge();
  expect(await pending.reply).toEqual(saying('SUCCESS'));
  expect(await deliveryState()).toBe('DONE');
});

test('a try that fails after the deadline opens nothing again', async () => {
  const pending = await opened();
  let fail: (error: Error) => void = () => {};
  before = ({ type }) => {
    if (type === 'complete') return new Promise((_, reject) => (fail = reject));
  };
  const acknowledged = pending.acknowledge();
  await jest.advanceTimersByTimeAsync(4001);
  fail(new Error('away'));
  await expect(acknowledged).rejects.toMatchObject({ code: 'ORDER_BOOK_FAILED' });
  before = () => {};
  await expect(pending.acknowledge()).rejects.toMatchObject({ code: 'NOTHING_TO_ACKNOWLEDGE' });
});

test('an order that only the route knows is taken from the payment, and done', async () => {
  shop = make(undefined);
  const pending = await opened();
  expect(pending.order).toBe('unknown');
  await pending.acknowledge();
  expect(await book.get(KEY)).toMatchObject({ state: 'PAID', totalFee: 1990, delivery: { state: 'DONE' } });
  expect(await open()).toEqual(saying('SUCCESS'));
});

test('an order that only the routes know, open twice: both are acknowledged, once it is done', async () => {
  shop = make(undefined);
  const [first, second] = [await opened(), await opened()];
  await first.acknowledge();
  await second.acknowledge();
  expect(await second.reply).toEqual(saying('SUCCESS'));
  expect(problems).toEqual([]);
});

test('an order that only the routes know, while another is about to acknowledge it', async () => {
  shop = make(undefined);
  const [first, second] = [await opened(), await opened()];
  before = ({ type }) => {
    if (type === 'complete') throw new Error('away');
  };
  await expect(first.acknowledge()).rejects.toMatchObject({ code: 'ORDER_BOOK_FAILED' });
  await expect(second.acknowledge()).rejects.toMatchObject({ code: 'NOTHING_TO_ACKNOWLEDGE' });
  expect(await second.reply).toEqual(saying('FAIL'));
  expect(problems).toMatchObject([{ type: 'not-acknowledged', message: expect.stringContaining('another process') }]);
});

test('one route at a time: a copy meanwhile is told FAIL, without a problem', async () => {
  const pending = await opened();
  expect(await open()).toEqual(saying('FAIL'));
  expect(problems).toEqual([]);
  await pending.acknowledge();
  expect(await pending.reply).toEqual(saying('SUCCESS'));
});

test('a book that answers after the deadline: FAIL went out, and the lease is given back', async () => {
  let answer: () => void = () => {};
  before = ({ type }) => {
    if (type === 'paid' && changes.filter((other) => other === 'paid').length === 1)
      return new Promise((resolve) => (answer = resolve));
  };
  const late = open();
  await jest.advanceTimersByTimeAsync(4001);
  expect(await late).toEqual(saying('FAIL'));
  expect(problems).toMatchObject([{ type: 'handler-failed', code: 'HANDLER_TIMEOUT' }]);
  answer();
  await jest.advanceTimersByTimeAsync(0);
  expect(changes).toContain('release');
  expect(await deliveryState()).not.toBe('LEASED');
  expect(problems).toHaveLength(1);
});
