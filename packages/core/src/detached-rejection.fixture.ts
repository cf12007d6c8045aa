import { createWechatH5, MemoryOrderBook } from './index.js';
import { signedNotification } from './testing.js';

/** A handler that succeeds and leaves a promise behind, which is rejected later. Writes what came of its delivery. */
const MERCHANT = { appId: 'wx2421b1c4370ec43b', mchId: '10000100', apiKey: '192006250b4c09247ec02edce69f6a2d' };
const ORDER = { mchId: MERCHANT.mchId, outTradeNo: 'ORDER-0001' };

const rejections: string[] = [];
process.on('unhandledRejection', (reason) => rejections.push((reason as Error).message));

let runs = 0;
let fail: (error: Error) => void = () => {};
const orderBook = new MemoryOrderBook();
const wechatH5 = createWechatH5({
  merchant: MERCHANT,
  notifyUrl: 'https://pay.example.com/notify',
  orderBook,
  findOrder: async () => ({ totalFee: 100 }),
  onPaid: () => {
    runs++;
    void new Promise((_resolve, reject) => (fail = reject));
  },
});

const body = Buffer.from(signedNotification({ out_trade_no: ORDER.outTradeNo, total_fee: '100' }, MERCHANT));
const notify = async (): Promise<string> => {
  const reply = await wechatH5.handleNotification({ method: 'POST', body });
  return reply.body.includes('CDATA[SUCCESS]') ? 'SUCCESS' : 'FAIL';
};
const replies = [await notify()];
fail(new Error('nobody waits for this'));
await new Promise((resolve) => setImmediate(resolve));
replies.push(await notify());
const order = await orderBook.get(ORDER);
process.stdout.write(
  JSON.stringify({ rejections, runs, replies, state: order?.state, delivery: order?.delivery.state }),
);
