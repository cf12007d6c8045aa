import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LmdbOrderBook } from './index.js';

const MCH_ID = '1900000109';

test('the attempts of one purchase are found without reading the other orders', async () => {
  const path = mkdtempSync(join(tmpdir(), 'wechat-h5-lmdb-'));
  const book = new LmdbOrderBook({ path });
  try {
    const place = async (outTradeNo: string, orderRef: string | undefined): Promise<void> => {
      const intent = {
        appId: 'wx',
        totalFee: 1,
        feeType: 'CNY',
        attach: '',
        params: {},
        clientIp: '127.0.0.1',
        orderRef,
      };
      await book.apply({ mchId: MCH_ID, outTradeNo }, { type: 'intend', intent });
    };
    await place('CART-7', 'cart/7');
    await Promise.all(
      Array.from({ length: 100 }, (_, n) => place(`OTHER-${n}`, n % 2 === 0 ? `cart/7${n}` : undefined)),
    );
    for (const n of [2, 3, 4]) await place(`CART-7-${n}`, 'cart/7');

    const read = jest.spyOn(JSON, 'parse');
    const first = await book.list({ mchId: MCH_ID, orderRef: 'cart/7' }, { limit: 3 });
    const rest = await book.list({ mchId: MCH_ID, orderRef: 'cart/7' }, { limit: 3, after: first.next ?? '' });
    expect(read.mock.calls.length).toBeLessThan(10);
    read.mockRestore();
    const found = [...first.orders, ...rest.orders].map(({ key }) => key.outTradeNo);
    expect(found.sort()).toEqual(['CART-7', 'CART-7-2', 'CART-7-3', 'CART-7-4']);
    expect(rest.next).toBeUndefined();
    expect((await book.list({ orderRef: 'cart/' })).orders).toEqual([]);
    expect((await book.list({}, { limit: 200 })).orders).toHaveLength(104);
  } finally {
    await book.close();
    rmSync(path, { recursive: true, force: true });
  }
});
