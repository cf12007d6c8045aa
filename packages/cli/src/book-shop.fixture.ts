import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createWechatH5, type OrderBook, type WechatH5 } from '@wechat-h5/core';
import type { Shop } from './shop.fixture.js';

/** A shop that runs, with an order book: it hears WeChat Pay's notifications and looks after its orders. */
export class BookShop {
  /** Orders whose handler throws. */
  readonly failing = new Set<string>();
  /** The shop's own table: what it knows beside the book, by number. */
  readonly table = new Map<string, number>();
  /** What `onPaid` took, and at which amount. */
  readonly paid: [outTradeNo: string, totalFee: number][] = [];
  readonly wechatH5: WechatH5;
  /** The same shop before it had a book. */
  readonly bookless: WechatH5;
  readonly #shop: Shop;
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const { status, headers, body } = await this.wechatH5.handleNotification({
        method: request.method ?? '',
        body: Buffer.concat(chunks),
      });
      response.writeHead(status, headers).end(body);
    });
  });

  private constructor(shop: Shop, orderBook: OrderBook, port: number) {
    this.#shop = shop;
    const common = {
      merchant: shop.merchant,
      gateway: shop.env['WECHAT_PAY_GATEWAY'] as string,
      notifyUrl: `http://127.0.0.1:${port}/notify`,
      onProblem: () => {},
    };
    this.bookless = createWechatH5(common);
    this.wechatH5 = createWechatH5({
      ...common,
      orderBook,
      reconcile: { idleMs: 100 },
      findOrder: async ({ outTradeNo }) => {
        const totalFee = this.table.get(outTradeNo);
        return totalFee === undefined ? undefined : { totalFee };
      },
      onPaid: ({ outTradeNo, totalFee }) => {
        if (this.failing.has(outTradeNo)) throw new Error('no stock');
        this.paid.push([outTradeNo, totalFee]);
      },
      onRefunded: () => {},
    });
  }

  static async open(shop: Shop, orderBook: OrderBook): Promise<BookShop> {
    const port = await freePort();
    const opened = new BookShop(shop, orderBook, port);
    opened.#server.listen(port, '127.0.0.1');
    await once(opened.#server, 'listening');
    opened.wechatH5.start();
    return opened;
  }

  async close(): Promise<void> {
    await this.wechatH5.stop();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async order(outTradeNo: string, orderRef?: string): Promise<void> {
    const order = { outTradeNo, body: 'Tea', totalFee: 1990, clientIp: '127.0.0.1' };
    await this.wechatH5.createOrder({ ...order, ...(orderRef !== undefined && { orderRef }) });
  }

  /** WeChat Pay knows the order, and the book does not. */
  async unknownOrder(outTradeNo: string): Promise<void> {
    await this.bookless.createOrder({ outTradeNo, body: 'Tea', totalFee: 1990, clientIp: '127.0.0.1' });
  }

  /** One notification, signed, of a payment that says `fields`. It is not repeated. */
  notify(outTradeNo: string, fields: Readonly<Record<string, string>> = {}): Promise<void> {
    // The same payment each time.
    const transaction_id = `42000000${outTradeNo.replace(/\D/g, '').padStart(20, '0').slice(-20)}`;
    return this.#shop.control('forge', { outTradeNo, signed: true, fields: { transaction_id, ...fields } });
  }

  /** When `onPaid` has taken the order so often. Without it the test ends by its own limit. */
  async delivered(outTradeNo: string, times = 1): Promise<void> {
    while (this.paid.filter(([number]) => number === outTradeNo).length < times) await delay(50);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
