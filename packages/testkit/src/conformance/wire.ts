import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Where a scene listens. */
export type Target = { readonly port: number } | { readonly socketPath: string };

/** A response as it came over the wire. */
export interface Reply {
  readonly status: number;
  /** Names in lower case, in the order received, repeated ones repeated. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface RequestParts {
  /** Default POST. */
  readonly method?: string;
  readonly path: string;
  /** Beside `host` and, unless given or `transfer-encoding` is, `content-length`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** A request's bytes, nothing added that was not asked for. */
export function bytesOf({ method = 'POST', path, headers = {}, body = '' }: RequestParts): Buffer {
  const content = Buffer.from(body);
  const all: Record<string, string> = { host: 'shop.example.com', ...headers };
  if (!('content-length' in all) && !('transfer-encoding' in all) && (content.length > 0 || method === 'POST')) {
    all['content-length'] = String(content.length);
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), content]);
}

/** One exchange on a connection of its own. Rejects if nothing is answered, or more than one thing. */
export async function exchange(target: Target, request: RequestParts): Promise<Reply> {
  const wire = await Wire.open(target);
  try {
    wire.send(bytesOf({ ...request, headers: { connection: 'close', ...request.headers } }));
    const reply = await wire.reply(request.method);
    await wire.closed;
    assert.equal(wire.surplus, 0, 'bytes came after the reply');
    return reply;
  } finally {
    wire.hangUp();
  }
}

/** A connection that does what no polite client does. */
export class Wire {
  /** Resolves when the server has closed the connection, or it broke. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #ended = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#ended = true;
        resolve();
      });
    });
    socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
    });
    // A reset is one way for a server to close; what came before it counts.
    socket.on('error', () => {});
  }

  static async open(target: Target): Promise<Wire> {
    const socket = 'socketPath' in target ? connect(target.socketPath) : connect(target.port, '127.0.0.1');
    socket.setNoDelay(true);
    await once(socket, 'connect');
    return new Wire(socket);
  }

  send(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Sends pieces as segments of their own: a reader sees each of them separately. */
  async sendSlowly(pieces: readonly Uint8Array[], milliseconds = 20): Promise<void> {
    for (const piece of pieces) {
      this.send(piece);
      await wait(milliseconds);
    }
  }

  /** Bytes handed to the network, whether or not the server has read them. */
  get sentBytes(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  /** Bytes received that belong to no reply taken so far. */
  get surplus(): number {
    return this.#received.length;
  }

  get isOpen(): boolean {
    return !this.#ended;
  }

  /**
   * The next response; an interim `100` is one too. Rejects if the connection ends before it is complete, and
   * after six seconds.
   */
  async reply(method = 'POST'): Promise<Reply> {
    const until = Date.now() + 6000;
    for (;;) {
      const parsed = parseReply(this.#received, method === 'HEAD', this.#ended);
      if (parsed !== undefined) {
        this.#received = this.#received.subarray(parsed.length);
        return parsed.reply;
      }
      if (this.#ended) assert.fail(`the connection ended after ${this.#received.length} bytes of a reply`);
      if (Date.now() > until) assert.fail('no reply within six seconds');
      await wait(2);
    }
  }

  /** Sends no more, as a client does that has said everything. */
  finish(): void {
    this.#socket.end();
  }

  /** Hangs up with a reset. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  hangUp(): void {
    this.#socket.destroy();
  }
}

export function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function parseReply(received: Buffer, bodiless: boolean, ended: boolean): { reply: Reply; length: number } | undefined {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const [statusLine = '', ...lines] = received.subarray(0, headEnd).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1]);
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const start = headEnd + 4;
  const value = (wanted: string): string | undefined => headers.find(([name]) => name === wanted)?.[1];
  const reply = (body: Buffer, end: number) => ({
    reply: { status, headers, body: body.toString('utf8') },
    length: end,
  });
  if (bodiless || status < 200 || status === 204 || status === 304) return reply(Buffer.alloc(0), start);
  if (value('transfer-encoding')?.toLowerCase() === 'chunked') {
    const chunked = parseChunks(received, start);
    return chunked && reply(chunked.body, chunked.end);
  }
  const length = value('content-length');
  if (length === undefined) return ended ? reply(received.subarray(start), received.length) : undefined;
  const end = start + Number(length);
  return received.length >= end ? reply(received.subarray(start, end), end) : undefined;
}

function parseChunks(received: Buffer, start: number): { body: Buffer; end: number } | undefined {
  const chunks: Buffer[] = [];
  for (let at = start; ;) {
    const lineEnd = received.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(received.subarray(at, lineEnd).toString('latin1'), 16);
    const end = lineEnd + 2 + size + 2;
    if (received.length < end) return undefined;
    if (size === 0) return { body: Buffer.concat(chunks), end };
    chunks.push(received.subarray(lineEnd + 2, end - 2));
    at = end;
  }
}
