import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { captureRequest, isPending, receiveNotification, sendReply } from './adapter.js';
import { createWechatH5 } from './index.js';
import { signedNotification } from './testing.js';

/**
 * Posts notifications over HTTP and writes the heap before and after. Half are genuine, for orders that this process
 * knows; of the other half each one is new: forged, not XML, too large, or genuine for an order that nobody knows.
 */
const COUNT = Number(process.argv[2]);
const WARM_UP = 10_000;
const MERCHANT = { appId: 'wx2421b1c4370ec43b', mchId: '10000100', apiKey: '192006250b4c09247ec02edce69f6a2d' };
const KNOWN = 50;
const TOO_LARGE = 'x'.repeat(70_000);

const wechatH5 = createWechatH5({
  merchant: MERCHANT,
  notifyUrl: 'https://pay.example.com/notify',
  findOrder: async ({ outTradeNo }) => (outTradeNo.startsWith('KNOWN_') ? { totalFee: 100 } : undefined),
  onPaid: () => {},
  onProblem: () => {},
});
const server = createServer((incoming, response) => {
  void receiveNotification(wechatH5, incoming, captureRequest(incoming)).then((answer) => {
    if (!isPending(answer)) sendReply(response, answer);
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
const agent = new Agent({ keepAlive: true, maxSockets: 16 });

const payment = (outTradeNo: string): string =>
  signedNotification({ out_trade_no: outTradeNo, total_fee: '100' }, MERCHANT);

const known = Array.from({ length: KNOWN }, (_, i) => payment(`KNOWN_${i}`));

function bodyOf(number: number): string {
  if (number % 2 === 0) return known[(number / 2) % KNOWN] as string;
  // Costs a connection each: a few are enough.
  if (number % 101 === 0) return TOO_LARGE;
  if (number % 3 === 0) return (known[0] as string).replace('KNOWN_0', `FORGED_${number}`);
  if (number % 3 === 1) return `<html><body>${number}</body></html>`;
  return payment(`UNKNOWN_${number}`);
}

function post(body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const posting = request({ port, host: '127.0.0.1', method: 'POST', agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(text.includes('CDATA[SUCCESS]') ? 'SUCCESS' : 'FAIL'));
    });
    // A body that is too large is answered before its end, and the connection closed.
    posting.on('error', () => resolve('FAIL'));
    posting.on('abort', reject).end(body);
  });
}

const replies: Record<string, number> = {};
let next = 0;

async function postUpTo(end: number): Promise<void> {
  const worker = async (): Promise<void> => {
    while (next < end) {
      const reply = await post(bodyOf(next++));
      replies[reply] = (replies[reply] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

async function heap(): Promise<number> {
  agent.destroy();
  // Sockets and timers end first, then the collector may have them.
  await new Promise((resolve) => setTimeout(resolve, 300));
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

await postUpTo(WARM_UP);
const before = await heap();
for (const reply of Object.keys(replies)) delete replies[reply];
await postUpTo(WARM_UP + COUNT);
const after = await heap();
process.stdout.write(JSON.stringify({ before, after, replies }));
process.exit();
