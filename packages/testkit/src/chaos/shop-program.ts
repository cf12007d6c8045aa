import '../gateway/clock.js';
import { createWechatH5, isWechatH5Error, type HandlerContext, type Payment, type Refund } from '@wechat-h5/core';
import { captureRequest, closeInstance, isPending, receiveNotification, sendReply } from '@wechat-h5/core/adapter';
import type { Applied, OrderBook, OrderChange, OrderKey } from '@wechat-h5/core/order-book';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Ledger, machineTime } from './ledger.js';
import { handlerPlanOf } from './plan.js';

export interface ShopSettings {
  readonly merchant: { readonly appId: string; readonly mchId: string; readonly apiKey: string };
  readonly gateway: string;
  readonly notifyUrl: string;
  readonly ledger: string;
  readonly leaseMs: number;
  readonly book: Readonly<Record<string, string>>;
  /** An operator does this once. */
  readonly migrate: boolean;
}

/** What a shop tells while it works, so that it can be struck at that moment. */
export type ShopReport =
  | { readonly what: 'ready'; readonly port: number }
  | { readonly what: 'start' | 'effect' | 'end'; readonly outTradeNo: string; readonly attempt: number };

/** Of an order, as the shop's own pages would show it. */
export interface OrderStanding {
  readonly outTradeNo: string;
  readonly state: string;
  readonly delivery: string;
  /** Refunds that are not handed over yet. */
  readonly openRefunds: number;
}

/** A client of node-postgres on which a transaction is open. */
interface Transaction {
  query(sql: string, values: readonly unknown[]): Promise<unknown>;
}

type Book = OrderBook<Transaction>;

/** The program of a shop: a server, the durable book, a ledger. */
export async function runShop(
  openBook: (options: Readonly<Record<string, string>>) => Promise<unknown>,
): Promise<void> {
  const settings = JSON.parse(process.env['SHOP'] ?? '') as ShopSettings;
  const ledger = new Ledger(settings.ledger);
  const tell = (report: ShopReport): void => void process.send?.(report);
  // Whatever becomes of the driver, no shop outlives it.
  process.once('disconnect', () => process.exit(0));

  const book = (await openBook(settings.book)) as Book;
  if (settings.migrate) await book.migrate?.();

  const block = (milliseconds: number): void => {
    for (const until = performance.now() + milliseconds; performance.now() < until;);
  };

  async function onPaid(payment: Payment, { attempt, tx }: HandlerContext<Transaction>): Promise<void> {
    const { outTradeNo, transactionId, totalFee } = payment;
    const { before, after, throws, blocks } = handlerPlanOf(payment.attach);
    const note = (what: 'start' | 'effect' | 'end' | 'throw'): void => {
      ledger.write({ what, at: machineTime(), outTradeNo, attempt, transactionId, totalFee });
      if (what !== 'throw') tell({ what, outTradeNo, attempt });
    };
    note('start');
    if (attempt === 1) block(blocks);
    await sleep(before);
    if (attempt <= throws) {
      note('throw');
      throw new Error('the warehouse is away');
    }
    await tx?.query('INSERT INTO chaos_effect (out_trade_no, attempt) VALUES ($1, $2)', [outTradeNo, attempt]);
    note('effect');
    await sleep(after);
    note('end');
  }

  async function onRefunded({ outTradeNo, outRefundNo }: Refund): Promise<void> {
    await sleep(20);
    ledger.write({ what: 'refund', at: machineTime(), outTradeNo, outRefundNo });
  }

  const { merchant, gateway, notifyUrl, leaseMs } = settings;
  const instance = createWechatH5<Transaction>({
    merchant,
    gateway,
    notifyUrl,
    orderBook: observed(book, leaseMs, ledger),
    onPaid,
    onRefunded,
    reconcile: { idleMs: 200 },
    onProblem: ({ type, code, outTradeNo }) =>
      ledger.write({ what: 'problem', at: machineTime(), type, code, ...(outTradeNo && { outTradeNo }) }),
  });

  const answer = async (request: IncomingMessage): Promise<unknown> => {
    if (request.url === '/orders') return standings(book);
    const { outTradeNo, totalFee, attach, outRefundNo, refundFee } = JSON.parse(await text(request)) as {
      outTradeNo: string;
      totalFee: number;
      attach: string;
      outRefundNo: string;
      refundFee: number;
    };
    if (request.url === '/refund') return instance.refund({ outTradeNo, outRefundNo, totalFee, refundFee });
    if (request.url === '/confirm') return instance.confirmPayment({ outTradeNo });
    return instance.createOrder({ outTradeNo, totalFee, attach, body: 'Tea', clientIp: '127.0.0.1' });
  };
  const server = createServer((request, response) => {
    if (request.url === '/notify') {
      void receiveNotification(instance, request, captureRequest(request)).then((reply) => {
        if (!isPending(reply)) sendReply(response, reply);
      });
      return;
    }
    answer(request).then(
      (value) => response.end(JSON.stringify(value)),
      (error: unknown) => {
        response.statusCode = 500;
        response.end(isWechatH5Error(error) ? error.code : String(error));
      },
    );
  });
  // A deployment: what is under way comes to its end, nothing new begins.
  process.once('SIGTERM', () => {
    server.close();
    void closeInstance(instance).then(() => process.exit(0));
  });
  instance.start();
  server.listen(0, '127.0.0.1', () => tell({ what: 'ready', port: (server.address() as AddressInfo).port }));
}

async function standings(book: Book): Promise<OrderStanding[]> {
  const found: OrderStanding[] = [];
  let after: string | undefined;
  do {
    const page = await book.list({}, after === undefined ? {} : { after });
    for (const { key, state, delivery, refunds } of page.orders) {
      const open = Object.values(refunds).filter(
        (refund) => refund.state !== 'FAILED' && refund.delivery.state !== 'DONE',
      );
      found.push({ outTradeNo: key.outTradeNo, state, delivery: delivery.state, openRefunds: open.length });
    }
    after = page.next;
  } while (after !== undefined);
  return found;
}

const OBSERVED: ReadonlySet<string> = new Set(['claim', 'renew', 'complete', 'release']);

/** The same book; what it answers about hand-overs is written down. */
function observed(book: Book, leaseMs: number, ledger: Ledger): Book {
  const note = (key: OrderKey, change: OrderChange, { outcome, order }: Applied, sentAt: number): void => {
    if ('outRefundNo' in change && change.outRefundNo !== undefined) return;
    // A payment that brought its lease with it is a claim as well.
    const claims = change.type === 'paid' && change.leaseMs !== undefined;
    if (claims ? order?.delivery.state !== 'LEASED' : !OBSERVED.has(change.type)) return;
    const attempt = 'attempt' in change ? change.attempt : (order?.delivery.attempt ?? 0);
    const what = claims ? 'claim' : (change.type as 'claim' | 'renew' | 'complete' | 'release');
    ledger.write({ what, at: machineTime(), sentAt, outTradeNo: key.outTradeNo, attempt, outcome });
  };
  const { transaction } = book;
  return {
    leaseMs,
    apply: async (key, change) => {
      const sentAt = machineTime();
      const applied = await book.apply(key, change);
      note(key, change, applied, sentAt);
      return applied;
    },
    get: (key) => book.get(key),
    findByTransactionId: (mchId, id) => book.findByTransactionId(mchId, id),
    claimDue: (options) => book.claimDue(options),
    list: (filter, page) => book.list(filter, page),
    open: async () => book.open?.(),
    ...(transaction && {
      transaction: async <T>(work: (tx: Transaction, apply: Book['apply']) => Promise<T>) => {
        const later: (() => void)[] = [];
        const result = await transaction.call(book, (tx, apply) =>
          work(tx, async (key, change) => {
            const sentAt = machineTime();
            const applied = await apply(key, change);
            if (applied.outcome === 'applied') later.push(() => note(key, change, applied, sentAt));
            else note(key, change, applied, sentAt);
            return applied;
          }),
        );
        for (const write of later) write();
        return result as T;
      },
    }),
  };
}
