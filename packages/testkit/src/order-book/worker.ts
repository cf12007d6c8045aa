import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import type { OrderBook, OrderChange, OrderKey } from '@wechat-h5/core/order-book';
import type { BookProgram } from './harness.js';

/**
 * A process that does to a book what it is told, one line of JSON at a time, and says what came of it.
 * `die`: kill -9 of itself, there and then.
 */
export type Job =
  | { do: 'apply'; key: OrderKey; change: OrderChange }
  /** For each: record the payment, claim, complete; several at a time. Answers with those it delivered. */
  | { do: 'settle'; keys: readonly OrderKey[]; changes: readonly OrderChange[]; leaseMs: number }
  /** Takes what is due until nothing is, and settles each look. */
  | { do: 'drain'; leaseMs: number }
  | { do: 'die' };

const AT_ONCE = 5;

void main(JSON.parse(process.argv[2] ?? '') as BookProgram);

async function main({ module: path, options }: BookProgram): Promise<void> {
  const { openBook } = (await import(pathToFileURL(path).href)) as {
    openBook(options: BookProgram['options']): Promise<OrderBook<unknown>>;
  };
  const book = await openBook(options);
  say({ ready: true });
  for await (const line of createInterface({ input: process.stdin })) {
    const job = JSON.parse(line) as Job;
    try {
      say({ result: await work(book, job) });
    } catch (error) {
      say({ error: String(error) });
    }
  }
  process.exit();
}

async function work(book: OrderBook<unknown>, job: Job): Promise<unknown> {
  switch (job.do) {
    case 'apply': {
      const { outcome, order } = await book.apply(job.key, job.change);
      return { outcome, attempt: order?.delivery.attempt };
    }
    case 'settle':
      return settle(book, job.keys, job.changes, job.leaseMs);
    case 'drain': {
      const taken: string[] = [];
      for (;;) {
        const orders = await book.claimDue({ limit: 7, leaseMs: job.leaseMs });
        if (orders.length === 0) return taken;
        for (const { key } of orders) {
          taken.push(key.outTradeNo);
          await book.apply(key, { type: 'looked', verdict: 'NOTPAY', nextInMs: undefined, counts: true });
        }
      }
    }
    case 'die':
      process.kill(process.pid, 'SIGKILL');
      return new Promise(() => {});
  }
}

async function settle(
  book: OrderBook<unknown>,
  keys: readonly OrderKey[],
  changes: readonly OrderChange[],
  leaseMs: number,
): Promise<string[]> {
  const won: string[] = [];
  const rest = keys.map((key, index) => ({ key, change: changes[index] }));
  const settleNext = async (): Promise<void> => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
      const { key, change } = next;
      if (change !== undefined) await book.apply(key, change);
      const { outcome, order } = await book.apply(key, { type: 'claim', leaseMs });
      if (outcome !== 'applied' || order === undefined) continue;
      const completed = await book.apply(key, { type: 'complete', attempt: order.delivery.attempt });
      if (completed.outcome !== 'applied') continue;
      won.push(key.outTradeNo);
      // Said when it is committed: whoever reads it may hold the book to it.
      say({ done: key.outTradeNo });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, settleNext));
  return won;
}

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
