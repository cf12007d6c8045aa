import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Endpoint } from '@wechat-h5/testkit/proxies';

export type HeaderLine = readonly [name: string, value: string];

export interface VisitorAnswer {
  readonly status: number;
  readonly body: string;
  /** Whether the request went over a connection that had served one before. */
  readonly reused: boolean;
}

/** Somebody at one address with one connection, kept alive. */
export class Visitor {
  readonly address: string;
  readonly #agent: Agent;

  /**
   * @param address a loopback address, which the connections come from
   * @param preface written first on a connection, ahead of HTTP
   */
  constructor(address: string, preface?: string) {
    this.address = address;
    this.#agent = preface === undefined ? new Agent({ keepAlive: true, maxSockets: 1 }) : new PrefacingAgent(preface);
  }

  /** `headers` go out line by line, in their order, as they are. */
  async send(
    method: 'GET' | 'POST',
    { host, port }: Endpoint,
    path: string,
    headers: readonly HeaderLine[],
  ): Promise<VisitorAnswer> {
    const lines: HeaderLine[] = [['Host', 'shop.example'], ['Content-Length', '0'], ...headers];
    const sent = request({
      host,
      port,
      path,
      method,
      agent: this.#agent,
      localAddress: this.address,
      headers: lines.flat(),
    });
    sent.end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: answer.statusCode ?? 0, body: await text(answer), reused: sent.reusedSocket };
  }

  leave(): void {
    this.#agent.destroy();
  }
}

class PrefacingAgent extends Agent {
  readonly #preface: string;

  constructor(preface: string) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#preface = preface;
  }

  override createConnection(options: TcpNetConnectOpts): Socket {
    const socket = connect(options);
    socket.write(this.#preface);
    return socket;
  }
}
