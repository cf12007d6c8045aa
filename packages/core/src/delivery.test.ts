import { Deliveries } from './delivery.js';
import type { HandlerContext } from './delivery-run.js';
import { MemoryOrderBook } from './index.js';
import type { Applied, OrderBook, OrderChange, OrderKey, OrderRecord } from './order-book.js';
import { paymentOf } from './payment.js';

const KEY: OrderKey = { mchId: '1900000109', outTradeNo: 'ORDER-0001' };
const payment = paymentOf({
  appid: 'wx2421b1c4370ec43b',
  mch_id: KEY.mchId,
  out_trade_no: KEY.outTradeNo,
  transaction_id: '4200000001',
  total_fee: '100',
});
const intent = { appId: payment.appId, totalFee: 100, feeType: 'CNY', attach: '', params: { a: 'b' }, clientIp: '' };

/** The rows of a shop in the same database: seen only when their transaction commits. */
interface Tx {
  write(row: string): void;
}

/** A book in the shop's own database, with one transaction at a time. */
class DatabaseBook extends MemoryOrderBook implements OrderBook<Tx> {
  declare readonly tx?: Tx;
  readonly rows: string[] = [];
  /** The connection breaks at COMMIT, which was carried out or not. */
  breaks: 'after' | 'before' | undefined;

  async transaction<T>(work: (tx: Tx, apply: OrderBook['apply']) => Promise<T>): Promise<T> {
    const rows: string[] = [];
    const changes: [OrderKey, OrderChange][] = [];
    const result = await work({ write: (row) => rows.push(row) }, async (key, change): Promise<Applied> => {
      // Looked at now, kept at the commit: nobody else changes it in between here.
      const copy = new MemoryOrderBook();
      const order = (await this.get(key)) as OrderRecord;
      const { delivery } = order;
      const holds = 'attempt' in change && delivery.state === 'LEASED' && delivery.attempt === change.attempt;
      if (holds) changes.push([key, change]);
      return { ...(await copy.apply(key, change)), outcome: holds ? 'applied' : 'lost', order };
    });
    const { breaks } = this;
    this.breaks = undefined;
    if (breaks === 'before') throw new Error('connection lost');
    for (const [key, change] of changes) await this.apply(key, change);
    this.rows.push(...rows);
    if (breaks === 'after') throw new Error('connection lost');
    return result;
  }
}

let book: DatabaseBook;
let problems: string[];
let onPaid: (context: HandlerContext<Tx>) => Promise<void> | void;
let deliveries: Deliveries<Tx>;

beforeEach(async () => {
  book = new DatabaseBook();
  problems = [];
  onPaid = ({ tx, attempt }) => tx?.write(`delivered by ${attempt}`);
  deliveries = new Deliveries<Tx>({
    book,
    findOrder: undefined,
    onPaid: (_payment, context) => onPaid(context),
    onRefunded: undefined,
    report: (type) => problems.push(type),
  });
  await book.apply(KEY, { type: 'intend', intent });
  await deliveries.record(payment);
});
const delivery = async (): Promise<unknown> => (await book.get(KEY))?.delivery;

test('what a handler writes through context.tx is there when the delivery is', async () => {
  expect(await deliveries.deliver(payment)).toBe('done');
  expect([book.rows, await delivery()]).toEqual([['delivered by 1'], expect.objectContaining({ state: 'DONE' })]);
});

test('of a handler that throws nothing is there', async () => {
  onPaid = ({ tx }) => {
    tx?.write('delivered');
    throw new Error('out of stock');
  };
  expect(await deliveries.deliver(payment)).toBe('failed');
  expect([book.rows, problems]).toEqual([[], ['handler-failed']]);
  expect(await delivery()).toMatchObject({ state: 'READY', failures: 1 });
});

test('P06: of a run that has lost its lease nothing is there', async () => {
  onPaid = async ({ tx }) => {
    tx?.write('delivered by 1');
    // Meanwhile another machine has taken over, and is done.
    await book.apply(KEY, { type: 'release', attempt: 1 });
    await book.apply(KEY, { type: 'claim', leaseMs: 1000 });
    await book.apply(KEY, { type: 'complete', attempt: 2 });
  };
  // It is delivered, though not by this run.
  expect(await deliveries.deliver(payment)).toBe('done');
  expect(book.rows).toEqual([]);
  expect(await delivery()).toMatchObject({ state: 'DONE', attempt: 2 });
});

test('S03: the connection broke at COMMIT, which had been carried out: it is not run again', async () => {
  book.breaks = 'after';
  expect(await deliveries.deliver(payment)).toBe('done');
  expect(await deliveries.deliver(payment)).toBe('done');
  expect(book.rows).toEqual(['delivered by 1']);
});

test('S03: the connection broke at COMMIT, which had not been carried out: it is run again', async () => {
  book.breaks = 'before';
  expect(await deliveries.deliver(payment)).toBe('failed');
  expect(await deliveries.deliver(payment)).toBe('done');
  expect(book.rows).toEqual(['delivered by 2']);
});
