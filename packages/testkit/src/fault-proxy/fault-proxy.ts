import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Link } from './link.js';
import { seededRandom } from './seeded-random.js';
import type { Stream, Toxic } from './toxics.js';

export interface FaultProxyOptions {
  /** What the proxy stands before. */
  readonly target: { readonly host: string; readonly port: number };
  /** Makes toxicity and jitter the same in every run. Default 1. */
  readonly seed?: number;
}

/** A TCP proxy on a free port of 127.0.0.1 that does to connections what networks do. */
export interface FaultProxy {
  readonly port: number;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** How many connections were ever accepted. */
  readonly accepted: number;
  /** Of those, how many are open now. */
  readonly open: number;
  /** Affects connections that are open already, too. Returns what takes it away again. */
  add(toxic: Toxic): () => void;
  /** Takes all toxics away. */
  clear(): void;
  /** Every open connection is reset, at both ends. */
  reset(): void;
  /** Nobody listens any more, and every connection is reset: connecting is refused. */
  down(): Promise<void>;
  /** Listens again, on the same port. */
  up(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a {@link FaultProxy}. */
export async function startFaultProxy({ target, seed = 1 }: FaultProxyOptions): Promise<FaultProxy> {
  const random = seededRandom(seed);
  const toxics: Toxic[] = [];
  const connections = new Set<Connection>();
  let accepted = 0;
  let port = 0;
  let server: Server | undefined;

  const listen = async (): Promise<void> => {
    const listener = createServer({ allowHalfOpen: true }, (client) => {
      const upstream = connect({ ...target, allowHalfOpen: true });
      const connection = new Connection(client, upstream, accepted++, toxics, random);
      connections.add(connection);
      client.once('close', () => connections.delete(connection));
    });
    listener.listen(port, '127.0.0.1');
    await once(listener, 'listening');
    port = (listener.address() as AddressInfo).port;
    server = listener;
  };
  const reset = (): void => connections.forEach((connection) => connection.reset());
  const changed = (): void => connections.forEach((connection) => connection.arm());
  const down = async (): Promise<void> => {
    const listener = server;
    if (listener === undefined) return;
    server = undefined;
    const closed = once(listener, 'close');
    listener.close();
    reset();
    await closed;
  };

  await listen();
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    get accepted() {
      return accepted;
    },
    get open() {
      return connections.size;
    },
    add(toxic) {
      toxics.push(toxic);
      changed();
      return () => {
        const index = toxics.indexOf(toxic);
        if (index >= 0) toxics.splice(index, 1);
        changed();
      };
    },
    clear() {
      toxics.length = 0;
      changed();
    },
    reset,
    down,
    up: () => (server === undefined ? listen() : Promise.resolve()),
    stop: down,
  };
}

/** A client, the connection made for it, and what happens to both. */
class Connection {
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #index: number;
  readonly #toxics: readonly Toxic[];
  readonly #random: () => number;
  readonly #drawn = new Map<Toxic, boolean>();
  readonly #timers = new Map<Toxic, NodeJS.Timeout>();
  #isReset = false;

  constructor(client: Socket, upstream: Socket, index: number, toxics: readonly Toxic[], random: () => number) {
    this.#client = client;
    this.#upstream = upstream;
    this.#index = index;
    this.#toxics = toxics;
    this.#random = random;
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      // What one end suffers, the other one is told of, unless it has to believe that all is well.
      socket.on('error', () => {
        if (!this.#isHalfOpen) this.reset();
      });
      // A proper end passes through the link, in its time.
      socket.on('close', () => {
        if (!this.#isHalfOpen && !socket.readableEnded) other.destroy();
      });
    }
    client.once('close', () => {
      for (const timer of this.#timers.values()) clearTimeout(timer);
      this.#timers.clear();
    });
    new Link(client, upstream, 'upstream', this);
    new Link(upstream, client, 'downstream', this);
    this.arm();
  }

  random(): number {
    return this.#random();
  }

  active(stream: Stream): readonly Toxic[] {
    return this.#toxics.filter((toxic) => (toxic.stream ?? 'downstream') === stream && this.#affects(toxic));
  }

  reset(): void {
    if (this.#isReset) return;
    this.#isReset = true;
    for (const socket of [this.#client, this.#upstream]) {
      // resetAndDestroy() does this, too, but ends the stream first: the peer would see a FIN before the RST. One whose end
      // was sent cannot be reset: libuv refuses, and Node would keep the handle, and the process that waits for it.
      if (!socket.writableEnded) Object.assign(socket, { resetAndClosing: true });
      socket.destroy();
    }
  }

  /** Sets the clocks of toxics that act by time, and stops those of toxics that were taken away. */
  arm(): void {
    for (const [toxic, timer] of this.#timers) {
      if (this.#toxics.includes(toxic)) continue;
      clearTimeout(timer);
      this.#timers.delete(toxic);
    }
    for (const toxic of this.#toxics) {
      if (!('timeout' in toxic) || this.#timers.has(toxic) || !this.#affects(toxic)) continue;
      if (toxic.type === 'timeout' && toxic.timeout === 0) continue;
      const act = toxic.type === 'reset_peer' ? () => this.reset() : () => this.#close();
      this.#timers.set(toxic, setTimeout(act, toxic.timeout));
    }
  }

  get #isHalfOpen(): boolean {
    return this.#toxics.some((toxic) => toxic.type === 'half_open' && this.#affects(toxic));
  }

  #affects(toxic: Toxic): boolean {
    let drawn = this.#drawn.get(toxic);
    if (drawn === undefined) {
      const { toxicity = 1, connections = () => true } = toxic;
      drawn = connections(this.#index) && (toxicity >= 1 || this.#random() < toxicity);
      this.#drawn.set(toxic, drawn);
    }
    return drawn;
  }

  #close(): void {
    this.#client.destroy();
    this.#upstream.destroy();
  }
}
