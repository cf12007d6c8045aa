import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Stream, Toxic, ToxicOf } from './toxics.js';

/** What a link needs to know of its connection. */
export interface Faults {
  /** The toxics that affect this stream of this connection right now, in the order in which they were added. */
  active(stream: Stream): readonly Toxic[];
  random(): number;
  reset(): void;
}

/** Bytes that may wait here before the sender is held back. */
const HIGH_WATER = 1024 * 1024;
/** How finely a slow line is cut. */
const BANDWIDTH_SLICE_MS = 50;

interface Arrival {
  readonly bytes: Buffer | 'end';
  readonly at: number;
}

/** One direction of one connection. */
export class Link {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #stream: Stream;
  readonly #faults: Faults;
  readonly #queue: Arrival[] = [];
  #queued = 0;
  #passed = 0;
  /** Goes on with whatever is waited for. */
  #wake: () => void = () => {};

  constructor(from: Socket, to: Socket, stream: Stream, faults: Faults) {
    this.#from = from;
    this.#to = to;
    this.#stream = stream;
    this.#faults = faults;
    from.on('data', (bytes: Buffer) => {
      this.#queued += bytes.byteLength;
      if (this.#queued > HIGH_WATER) from.pause();
      this.#arrive(bytes);
    });
    from.on('end', () => this.#arrive('end'));
    for (const event of ['drain', 'close'] as const) to.on(event, () => this.#wake());
    void this.#run();
  }

  #arrive(bytes: Buffer | 'end'): void {
    this.#queue.push({ bytes, at: performance.now() });
    this.#wake();
  }

  async #run(): Promise<void> {
    while (!this.#to.destroyed) {
      const arrival = this.#queue.shift();
      if (arrival === undefined) {
        await this.#woken();
        continue;
      }
      await this.#travel(arrival.at);
      if (this.#isSwallowed()) {
        this.#account(arrival.bytes);
        continue;
      }
      if (arrival.bytes === 'end') {
        const [slow] = this.#toxics('slow_close');
        if (slow !== undefined) await delay(slow.delay);
        this.#to.end();
        return;
      }
      for (const piece of this.#pieces(arrival.bytes)) {
        await this.#pass(piece);
        for (const slicer of this.#toxics('slicer')) await delay(slicer.delay ?? 0);
      }
      this.#account(arrival.bytes);
    }
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  /** By the time they arrived, so that bytes travel side by side and not one after the other. */
  async #travel(arrivedAt: number): Promise<void> {
    for (const { latency, jitter = 0 } of this.#toxics('latency')) {
      const due = arrivedAt + latency + (2 * this.#faults.random() - 1) * jitter;
      const rest = due - performance.now();
      if (rest > 0) await delay(rest);
    }
  }

  async #pass(bytes: Buffer): Promise<void> {
    let allowed = bytes.byteLength;
    let after: (() => void) | undefined;
    for (const toxic of this.#faults.active(this.#stream)) {
      if (toxic.type === 'corrupt') {
        const index = toxic.at - this.#passed;
        if (index >= 0 && index < bytes.byteLength) bytes[index]! ^= 0xff;
      } else if ((toxic.type === 'limit_data' || toxic.type === 'reset_peer') && 'bytes' in toxic) {
        const left = Math.max(0, toxic.bytes - this.#passed);
        if (left > allowed) continue;
        allowed = left;
        // A reset that overtakes the bytes looks like a proper end: libuv takes both at once and says only EOF.
        after =
          toxic.type === 'limit_data'
            ? () => this.#to.end()
            : () => setImmediate(() => setImmediate(() => this.#faults.reset()));
      }
    }
    const part = bytes.subarray(0, allowed);
    this.#passed += part.byteLength;
    if (part.byteLength > 0 && this.#to.writable) {
      this.#to.write(part);
      while (this.#to.writableNeedDrain && !this.#to.destroyed) await this.#woken();
    }
    after?.();
    for (const { rate } of this.#toxics('bandwidth')) await delay(part.byteLength / rate);
  }

  *#pieces(bytes: Buffer): Generator<Buffer> {
    const [slicer] = this.#toxics('slicer');
    const [bandwidth] = this.#toxics('bandwidth');
    let rest = bytes;
    while (rest.byteLength > 0) {
      let size = rest.byteLength;
      if (slicer !== undefined) {
        const { averageSize, sizeVariation = 0 } = slicer;
        size = Math.max(1, Math.round(averageSize + (2 * this.#faults.random() - 1) * sizeVariation));
      }
      if (bandwidth !== undefined) size = Math.min(size, Math.max(1, Math.round(bandwidth.rate * BANDWIDTH_SLICE_MS)));
      yield rest.subarray(0, size);
      rest = rest.subarray(size);
    }
  }

  #isSwallowed(): boolean {
    return this.#faults.active(this.#stream).some(({ type }) => type === 'half_open' || type === 'timeout');
  }

  #account(bytes: Buffer | 'end'): void {
    if (bytes === 'end') return;
    this.#queued -= bytes.byteLength;
    if (this.#queued <= HIGH_WATER) this.#from.resume();
  }

  #toxics<Type extends Toxic['type']>(type: Type): ToxicOf<Type>[] {
    return this.#faults.active(this.#stream).filter((toxic): toxic is ToxicOf<Type> => toxic.type === type);
  }
}
