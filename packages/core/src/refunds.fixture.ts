import { createSimulator, type Simulator } from '@wechat-h5/simulator';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createWechatH5,
  type HandlerContext,
  type Payment,
  type Problem,
  type Refund,
  type WechatH5,
  type WechatH5Options,
} from './index.js';
import { partsOf } from './wechat-h5.js';

export const SUCCESS =
  '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>';
export const FAIL = '<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[FAIL]]></return_msg></xml>';

/** A shop and a simulated WeChat Pay, each on a socket of its own. */
export interface RefundScene {
  readonly simulator: Simulator;
  readonly notifyUrl: string;
  wechatH5: WechatH5;
  readonly paid: Payment[];
  readonly refunded: Refund[];
  /** The contexts of the runs of `onRefunded`, in their order. */
  readonly contexts: HandlerContext[];
  readonly problems: Problem[];
  /** What `onRefunded` does beside taking note. */
  onRefunded: (refund: Refund) => Promise<void> | void;
  /** An instance with other options, for this shop, or without `onRefunded`; the last one made is the one that answers. */
  use(options?: Partial<WechatH5Options>, handlers?: { onRefunded: false }): WechatH5;
  /** Posts a notification to the shop, as anybody can, and returns the answer. */
  post(body: string): Promise<string>;
  /** Orders and pays. */
  payFor(outTradeNo: string, totalFee?: number): Promise<void>;
  /** How often the shop has asked `refundquery`. */
  queries(): number;
  stop(): Promise<void>;
}

export async function openRefundScene(): Promise<RefundScene> {
  const simulator = await createSimulator({ timeScale: 0.001 });
  const instances: WechatH5[] = [];
  const shop = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '' } = request;
      void scene.wechatH5.handleNotification({ method, body: Buffer.concat(chunks) }).then((reply) => {
        response.writeHead(reply.status, reply.headers).end(reply.body);
      });
    });
  });
  shop.listen(0, '127.0.0.1');
  await once(shop, 'listening');
  const notifyUrl = `http://127.0.0.1:${(shop.address() as AddressInfo).port}/notify`;

  const onRefunded = async (refund: Refund, context: HandlerContext): Promise<void> => {
    scene.contexts.push(context);
    await scene.onRefunded(refund);
    scene.refunded.push(refund);
  };
  const use: RefundScene['use'] = (options, handlers) => {
    const instance = createWechatH5({
      merchant: simulator.merchant,
      gateway: simulator.url,
      notifyUrl,
      onPaid: (payment) => void scene.paid.push(payment),
      ...(handlers?.onRefunded !== false && { onRefunded }),
      onProblem: (problem) => scene.problems.push(problem),
      ...options,
    });
    instances.push(instance);
    return instance;
  };
  const scene: RefundScene = {
    simulator,
    notifyUrl,
    // Replaced at once: making it needs the scene.
    wechatH5: undefined as unknown as WechatH5,
    paid: [],
    refunded: [],
    contexts: [],
    problems: [],
    onRefunded: () => {},
    use: (options, handlers) => (scene.wechatH5 = use(options, handlers)),
    async post(body) {
      return (await fetch(notifyUrl, { method: 'POST', body })).text();
    },
    async payFor(outTradeNo, totalFee = 1990) {
      await scene.wechatH5.createOrder({ outTradeNo, body: 'Shop - tea', totalFee, clientIp: '127.0.0.5' });
      await simulator.pay(outTradeNo);
    },
    queries: () =>
      simulator.events.list().filter(({ type, operation }) => type === 'gateway.request' && operation === 'refundquery')
        .length,
    async stop() {
      await simulator.stop();
      for (const instance of instances) void partsOf(instance)?.close();
      shop.closeAllConnections();
      shop.close();
    },
  };
  scene.use();
  return scene;
}

/** Waits until `condition` holds, at most two seconds. */
export async function eventually(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 2_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('the condition did not come true within two seconds');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
