import { once } from 'node:events';
import { createServer, request as send, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { machineTime } from './ledger.js';

/** What one shop answered to one copy of a notification. */
export interface Answer {
  readonly outTradeNo: string;
  /** What the notification said was paid. */
  readonly totalFee: number;
  readonly shop: string;
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly verdict: 'success' | 'fail' | 'none';
}

/** A shop that takes notifications now. */
export interface Receiver {
  readonly name: string;
  readonly port: number;
}

/** Longer than WeChat Pay waits: an answer that comes too late counts as evidence all the same. */
const PATIENCE_MS = 15_000;

/** Stands at the `notify_url` before the shops: passes each notification on to one of them or to several at once, and keeps the answers. */
export class Balancer {
  readonly answers: Answer[] = [];
  readonly #server: Server;
  readonly #receiversFor: (outTradeNo: string) => readonly Receiver[];
  readonly #onForward: (receiver: Receiver, outTradeNo: string) => void;
  readonly #pending = new Set<Promise<unknown>>();

  private constructor(
    receiversFor: (outTradeNo: string) => readonly Receiver[],
    onForward: (receiver: Receiver, outTradeNo: string) => void,
  ) {
    this.#receiversFor = receiversFor;
    this.#onForward = onForward;
    this.#server = createServer((request, response) => {
      void text(request).then(async (message) => {
        const first = await this.#forward(message);
        if (first === undefined) response.destroy();
        else response.end(first);
      });
    });
  }

  static async start(
    receiversFor: (outTradeNo: string) => readonly Receiver[],
    onForward: (receiver: Receiver, outTradeNo: string) => void,
  ): Promise<Balancer> {
    const balancer = new Balancer(receiversFor, onForward);
    balancer.#server.listen(0, '127.0.0.1');
    await once(balancer.#server, 'listening');
    return balancer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/notify`;
  }

  /** When everything that was passed on has been answered. */
  async idle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** @returns the answer of the first receiver, which is the one that WeChat Pay hears; `undefined`: none came */
  async #forward(message: string): Promise<string | undefined> {
    const outTradeNo = /<out_trade_no><!\[CDATA\[(.*?)\]\]>/.exec(message)?.[1] ?? '';
    const totalFee = Number(/<total_fee>(?:<!\[CDATA\[)?(\d+)/.exec(message)?.[1]);
    const copies = this.#receiversFor(outTradeNo).map((receiver) => {
      const answer = this.#deliver(receiver, message, outTradeNo, totalFee);
      this.#pending.add(answer);
      void answer.finally(() => this.#pending.delete(answer));
      return answer;
    });
    return copies[0];
  }

  async #deliver(
    receiver: Receiver,
    message: string,
    outTradeNo: string,
    totalFee: number,
  ): Promise<string | undefined> {
    const sentAt = machineTime();
    const body = await new Promise<string | undefined>((resolve) => {
      const outgoing = send(
        { host: '127.0.0.1', port: receiver.port, path: '/notify', method: 'POST', agent: false, timeout: PATIENCE_MS },
        (response) => void text(response).then(resolve, () => resolve(undefined)),
      );
      outgoing.on('error', () => resolve(undefined));
      outgoing.on('timeout', () => outgoing.destroy());
      outgoing.setHeader('content-type', 'text/xml');
      outgoing.end(message);
      this.#onForward(receiver, outTradeNo);
    });
    const verdict = body === undefined ? 'none' : body.includes('<![CDATA[SUCCESS]]>') ? 'success' : 'fail';
    const answer: Answer = { outTradeNo, totalFee, shop: receiver.name, sentAt, answeredAt: machineTime(), verdict };
    this.answers.push(answer);
    return body;
  }
}
