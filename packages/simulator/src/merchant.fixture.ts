import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SignType, Simulator, SimulatorOptions } from './index.js';
import { createSimulator } from './index.js';
import { sign } from './signing.js';
import { buildXml, parseXml } from './xml.js';

type Fields = Record<string, string>;

const SUCCESS = '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>';

/** What the shop answers to a notification; `undefined` for the documented success. */
export type NotifyAnswer = (body: string, request: IncomingMessage, response: ServerResponse) => string | undefined;

/** A simulator with a shop beside it, over real sockets. */
export interface Scene {
  readonly simulator: Simulator;
  /** `http://127.0.0.1:PORT` of the shop. */
  readonly shopUrl: string;
  /** The bodies that reached `notify_url`, in order of arrival. */
  readonly notified: string[];
  answer: NotifyAnswer;
  /** A complete, valid order; `undefined` takes a field out. */
  order(outTradeNo: string, changes?: Record<string, string | undefined>): Fields;
  /** Signs and posts; returns the reply's fields. */
  call(operation: string, fields: Fields, signing?: { apiKey?: string; signType?: SignType }): Promise<Fields>;
  /** Places a valid order and returns its `mweb_url`. */
  place(outTradeNo: string, changes?: Record<string, string | undefined>): Promise<string>;
  /** What a browser gets for `url`, from the socket of `from`. No redirect is followed. */
  browse(
    url: string,
    options?: BrowseOptions,
  ): Promise<{ status: number; location?: string; page: string; headers: IncomingMessage['headers'] }>;
  stop(): Promise<void>;
}

export interface BrowseOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** The local address to connect from: any of 127.0.0.0/8 stands for another network. */
  readonly from?: string;
}

export async function openScene(options: SimulatorOptions = {}): Promise<Scene> {
  const simulator = await createSimulator({ timeScale: 0.001, ...options });
  const notified: string[] = [];
  const shop = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      notified.push(body);
      const answer = scene.answer(body, request, response);
      if (!response.writableEnded && answer !== HANG) response.end(answer ?? SUCCESS);
    });
  });
  await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve));
  const shopUrl = `http://127.0.0.1:${(shop.address() as AddressInfo).port}`;

  const scene: Scene = {
    simulator,
    shopUrl,
    notified,
    answer: () => undefined,
    order(outTradeNo, changes = {}) {
      const fields = {
        body: '手工咖啡豆 – 250 g',
        out_trade_no: outTradeNo,
        total_fee: '1990',
        spbill_create_ip: '127.0.0.1',
        notify_url: `${shopUrl}/notify`,
        trade_type: 'MWEB',
        scene_info: '{"h5_info":{"type":"Wap","wap_url":"https://shop.example","wap_name":"咖啡"}}',
        ...changes,
      };
      return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Fields;
    },
    async call(operation, fields, { apiKey = simulator.merchant.apiKey, signType = 'MD5' } = {}) {
      const { appId, mchId } = simulator.merchant;
      const message: Fields = { appid: appId, mch_id: mchId, nonce_str: 'n'.repeat(32), ...fields };
      if (signType !== 'MD5') message['sign_type'] ??= signType;
      const body = buildXml({ sign: sign(message, apiKey, signType), ...message });
      const path = operation === 'refund' ? 'secapi/pay/refund' : `pay/${operation}`;
      const reply = await fetch(`${simulator.url}/${path}`, { method: 'POST', body });
      return parseXml(await reply.text());
    },
    async place(outTradeNo, changes) {
      const reply = await scene.call('unifiedorder', scene.order(outTradeNo, changes));
      if (!reply['mweb_url']) throw new Error(`not placed: ${JSON.stringify(reply)}`);
      return reply['mweb_url'];
    },
    browse: (url, { method = 'GET', headers = {}, body, from = '127.0.0.1' } = {}) =>
      new Promise((resolve, reject) => {
        const request = httpRequest(url, { method, headers, localAddress: from, agent: false }, (response) => {
          let page = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => (page += chunk));
          response.on('end', () => {
            const { location } = response.headers;
            const status = response.statusCode ?? 0;
            resolve({ status, page, headers: response.headers, ...(location !== undefined && { location }) });
          });
        });
        request.on('error', reject);
        request.end(body);
      }),
    async stop() {
      await simulator.stop();
      shop.closeAllConnections();
      await new Promise((resolve) => shop.close(resolve));
    },
  };
  return scene;
}

/** Answer of a shop that never ends its reply. */
export const HANG = '__hang__';

/** Waits until `condition` holds, at most twenty seconds. */
export async function eventually(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('the condition did not come true within twenty seconds');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
