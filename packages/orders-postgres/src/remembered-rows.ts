import { orderId, type OrderKey } from '@wechat-h5/core/order-book';
import type { SeenRow } from './order-row.js';

/** Some kilobytes each. */
const AT_MOST = 500;
/** What belongs together comes within seconds: a look at what is due and a claim, a claim and its completion. */
const FOR_MS = 10_000;
/** The server's clock was read at some moment of a statement. A longer one leaves it too uncertain. */
const LONGEST_STATEMENT_MS = 1000;

/**
 * Rows as the server has shown them last, so that it is not asked again for what was seen a moment ago. Any of them may
 * be out of date: they serve to compute a change that is stored only if the row is still the same. Their clock is the
 * server's or a little fast, by the time their statement took at most.
 */
export class RememberedRows {
  readonly #rows = new Map<string, { readonly row: SeenRow; readonly sentAt: number }>();

  /** @returns the row, and the server's clock moved on by what has passed since */
  get(key: OrderKey): SeenRow | undefined {
    const seen = this.#rows.get(orderId(key));
    const passed = seen === undefined ? Infinity : performance.now() - seen.sentAt;
    return seen === undefined || passed > FOR_MS ? undefined : { ...seen.row, now: seen.row.now + Math.ceil(passed) };
  }

  /** @param sentAt when the statement was sent that showed the row, by `performance.now()` */
  set(key: OrderKey, row: SeenRow, sentAt: number): void {
    const id = orderId(key);
    this.#rows.delete(id);
    if (performance.now() - sentAt > LONGEST_STATEMENT_MS) return;
    this.#rows.set(id, { row, sentAt });
    if (this.#rows.size <= AT_MOST) return;
    for (const oldest of this.#rows.keys()) {
      this.#rows.delete(oldest);
      return;
    }
  }

  delete(key: OrderKey): void {
    this.#rows.delete(orderId(key));
  }
}
