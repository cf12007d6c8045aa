import type { RefundStatus } from './refunds.js';

/** How a refund can end. */
export type RefundEnd = Exclude<RefundStatus, 'PROCESSING'>;

interface Due {
  readonly at: number;
  readonly end: RefundEnd;
  readonly timer: NodeJS.Timeout | undefined;
}

/** Node's timers end at 2³¹ ms; what is due later than that is left to the clock. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Which refunds will end by themselves, and when. They do so as soon as the simulator's clock says so at some look at
 * them, and at the latest when as much real time has passed.
 */
export class RefundSchedule {
  readonly #now: () => Date;
  readonly #settle: (outRefundNo: string, end: RefundEnd) => void;
  readonly #due = new Map<string, Due>();

  constructor(now: () => Date, settle: (outRefundNo: string, end: RefundEnd) => void) {
    this.#now = now;
    this.#settle = settle;
  }

  add(outRefundNo: string, end: RefundEnd, milliseconds: number): void {
    const timer =
      milliseconds <= LONGEST_TIMER ? setTimeout(() => this.#end(outRefundNo, end), milliseconds) : undefined;
    this.#due.set(outRefundNo, { at: this.#now().getTime() + milliseconds, end, timer });
  }

  /** Somebody else has ended it. */
  remove(outRefundNo: string): void {
    clearTimeout(this.#due.get(outRefundNo)?.timer);
    this.#due.delete(outRefundNo);
  }

  settleDue(): void {
    const now = this.#now().getTime();
    for (const [outRefundNo, { at, end }] of this.#due) if (at <= now) this.#end(outRefundNo, end);
  }

  stop(): void {
    for (const outRefundNo of this.#due.keys()) this.remove(outRefundNo);
  }

  #end(outRefundNo: string, end: RefundEnd): void {
    this.remove(outRefundNo);
    this.#settle(outRefundNo, end);
  }
}
