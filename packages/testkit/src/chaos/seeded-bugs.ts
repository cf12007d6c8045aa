import type { Rule } from './checker.js';
import type { Lane } from './plan.js';
import type { Patch } from './programs.js';
import { evictingRedis, lmdb, postgres, type ChaosStore } from './stores.js';

/** A mistake that somebody has made before, in a copy of the code, and the rules of which it must be seen to break one. */
export interface SeededBug {
  readonly does: string;
  readonly store: ChaosStore;
  readonly patches: readonly Patch[];
  /** Default those of every run of this kind. */
  readonly lanes?: readonly Lane[];
  readonly breaks: readonly Rule[];
}

const HAND_OVER = 'packages/core/src/order-delivery.ts';
const FENCE = "if (delivery.state !== 'LEASED' || delivery.attempt !== change.attempt) {";

export const seededBugs: readonly SeededBug[] = [
  {
    does: 'looks whether it is done, runs the handler, and marks it as done',
    store: lmdb,
    patches: [
      {
        file: HAND_OVER,
        text: "if (delivery.state === 'LEASED' && delivery.leaseUntil !== undefined && delivery.leaseUntil > now)\n      return stay('busy');",
        instead: '',
      },
      { file: HAND_OVER, text: FENCE, instead: 'if (false) {' },
    ],
    breaks: ['I2', 'I5'],
  },
  {
    does: 'lets a run complete that has lost its lease',
    store: postgres,
    patches: [{ file: HAND_OVER, text: FENCE, instead: `if (change.type !== 'complete' && ${FENCE.slice(3, -2)}) {` }],
    breaks: ['I2', 'I3'],
  },
  {
    does: 'ends leases by the clock of the application',
    store: postgres,
    patches: [
      {
        file: 'packages/orders-postgres/src/stored-changes.ts',
        text: 'transition(before, key, change, new Date(row.now), taken)',
        instead: 'transition(before, key, change, new Date(), taken)',
      },
    ],
    // The book's own times are wrong, too.
    breaks: ['I5', 'I4'],
  },
  {
    does: 'does not compare amounts',
    store: lmdb,
    patches: [
      {
        file: 'packages/core/src/order-payment.ts',
        text: "if (payment.totalFee !== order.totalFee) return 'total_fee';",
        instead: '',
      },
    ],
    breaks: ['I12', 'I13'],
  },
  {
    does: 'acknowledges before the delivery is done',
    store: lmdb,
    patches: [
      {
        file: 'packages/core/src/notification-endpoint.ts',
        text: 'let result = await deliver();',
        instead: 'void deliver().catch(() => {}); return SUCCESS; let result = await deliver();',
      },
    ],
    breaks: ['I4'],
  },
  {
    does: 'keeps its orders in a Redis that evicts',
    store: evictingRedis,
    patches: [
      {
        file: 'packages/orders-redis/src/persistence.ts',
        text: "if (policy !== 'noeviction')",
        instead: 'if (false)',
      },
    ],
    breaks: ['I1'],
  },
  {
    does: 'gives back more than was paid',
    store: lmdb,
    patches: [
      {
        file: 'packages/core/src/order-refund.ts',
        text: "if (refundsUnderWay(order) + change.refundFee > order.totalFee) return stay('exceeds');",
        instead: '',
      },
    ],
    lanes: ['refunded', 'notified'],
    breaks: ['I9'],
  },
  {
    does: 'acknowledges payments of orders that it does not know',
    store: lmdb,
    patches: [
      {
        file: 'packages/core/src/notification-endpoint.ts',
        text: "      return failed(trace, 'ORDER_UNKNOWN');\n    }",
        instead: '      return SUCCESS;\n    }',
      },
    ],
    lanes: ['notified', 'unknown'],
    breaks: ['I12'],
  },
];
