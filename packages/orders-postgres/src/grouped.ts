import { orderId, type Applied, type OrderChange, type OrderKey } from '@wechat-h5/core/order-book';

/** Texts of records, some kilobytes each. */
const AT_MOST = 64;
/** One is computed here while the other is committed there. */
const UNDER_WAY = 2;

/** One change of one order. */
export interface Change {
  readonly key: OrderKey;
  readonly change: OrderChange;
}

interface Waiting extends Change {
  readonly id: string;
  /** By `performance.now()`. */
  readonly until: number;
  readonly resolve: (applied: Applied) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Sends what is asked for while the server is at work on earlier changes together, as one transaction: one commit is
 * waited for instead of many. Nobody waits for company, and each is told only when its change is committed.
 */
export class Grouped {
  readonly #timeoutMs: number;
  readonly #together: (changes: readonly Change[]) => Promise<readonly (Applied | Error | undefined)[]>;
  readonly #alone: (change: Change) => Promise<Applied>;
  readonly #late: () => Error;
  #waiting: Waiting[] = [];
  #underWay = 0;
  #isPlanned = false;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param parts.together of as many orders as changes: what each came to; `undefined`: it was not stored, because somebody
   *   is at work on the same order. It waits for nobody else's transaction, or hardly
   * @param parts.alone for those: it may have to wait, and keeps nobody else waiting
   * @param parts.timeoutMs for how long a change may wait for its turn
   * @param parts.late what it is told then
   */
  constructor(parts: {
    together: (changes: readonly Change[]) => Promise<readonly (Applied | Error | undefined)[]>;
    alone: (change: Change) => Promise<Applied>;
    timeoutMs: number;
    late: () => Error;
  }) {
    this.#together = parts.together;
    this.#alone = parts.alone;
    this.#timeoutMs = parts.timeoutMs;
    this.#late = parts.late;
  }

  apply(key: OrderKey, change: OrderChange): Promise<Applied> {
    return new Promise((resolve, reject) => {
      const until = performance.now() + this.#timeoutMs;
      this.#waiting.push({ key, change, id: orderId(key), until, resolve, reject });
      this.#plan();
    });
  }

  /** At the end of this turn of the event loop: what comes in it goes together. */
  #plan(): void {
    if (this.#isPlanned || this.#waiting.length === 0) return;
    if (this.#underWay === UNDER_WAY) return this.#watch();
    this.#isPlanned = true;
    setImmediate(() => {
      this.#isPlanned = false;
      void this.#send(this.#next());
    });
  }

  /** The oldest, one for each order. Others for the same order go alone: a crowd must not wait for each of its members. */
  #next(): Waiting[] {
    const next = new Map<string, Waiting>();
    const rest: Waiting[] = [];
    for (const one of this.#waiting) {
      if (next.has(one.id)) this.#alone(one).then(one.resolve, one.reject);
      else if (next.size < AT_MOST) next.set(one.id, one);
      else rest.push(one);
    }
    this.#waiting = rest;
    return [...next.values()];
  }

  async #send(changes: readonly Waiting[]): Promise<void> {
    this.#underWay++;
    this.#plan();
    try {
      const results = await this.#together(changes);
      for (const [index, one] of changes.entries()) {
        const result = results[index];
        if (result === undefined) this.#alone(one).then(one.resolve, one.reject);
        else if (result instanceof Error) one.reject(result);
        else one.resolve(result);
      }
    } catch (error) {
      for (const { reject } of changes) reject(error);
    } finally {
      this.#underWay--;
      this.#plan();
    }
  }

  /** A server that is stuck must not hold those who have not even reached it. */
  #watch(): void {
    const [oldest] = this.#waiting;
    if (oldest === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        const now = performance.now();
        const late = this.#waiting.filter(({ until }) => until <= now);
        this.#waiting = this.#waiting.filter(({ until }) => until > now);
        for (const { reject } of late) reject(this.#late());
        this.#plan();
      },
      Math.ceil(oldest.until - performance.now()),
    );
  }
}
