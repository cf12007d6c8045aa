import { createWechatH5 } from '@wechat-h5/core';
import { signedNotification } from '@wechat-h5/core/testing';
import { intend, newKey } from '@wechat-h5/testkit/order-book';
import { describeWithStores } from '@wechat-h5/testkit/stores';
import { serverOfBlock } from './store.fixture.js';

const merchant = { appId: 'wx2421b1c4370ec43b', mchId: '1900000109', apiKey: 'canary0123456789canary0123456789' };

describeWithStores(['postgres'], 'context.tx', () => {
  const { server, books } = serverOfBlock();

  test('what onPaid writes through it happens exactly once, with duplicates on two machines and runs that throw', async () => {
    const { book, schema } = await books.create(server.url);
    server.query(`CREATE TABLE ${schema}.shipment (number text)`);
    let runs = 0;
    const machines = [book, books.open(server.url, { schema })].map((orderBook) =>
      createWechatH5({
        merchant,
        notifyUrl: 'https://shop.example.com/notify',
        orderBook,
        onProblem: () => {},
        async onPaid({ outTradeNo }, { tx }) {
          if (tx === undefined) throw new Error('no transaction');
          await tx.query(`INSERT INTO ${schema}.shipment VALUES ($1)`, [outTradeNo]);
          runs++;
          if (runs % 3 === 1) throw new Error('the printer is out of labels');
        },
      }),
    );
    for (let order = 0; order < 5; order++) {
      const key = newKey();
      await book.apply(key, intend(key));
      const body = Buffer.from(
        signedNotification(
          { out_trade_no: key.outTradeNo, transaction_id: `42${key.outTradeNo}`, total_fee: '100' },
          merchant,
        ),
      );
      for (let answered = ''; !answered.includes('SUCCESS');) {
        const replies = await Promise.all(
          machines.map((machine) => machine.handleNotification({ method: 'POST', body })),
        );
        answered = replies.map((reply) => reply.body).join();
      }
      expect((await book.get(key))?.delivery.state).toBe('DONE');
      expect(server.query(`SELECT count(*) FROM ${schema}.shipment WHERE number = '${key.outTradeNo}'`)).toBe('1');
    }
    expect(runs).toBeGreaterThan(5);
  });
});
