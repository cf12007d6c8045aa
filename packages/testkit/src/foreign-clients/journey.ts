import type { ForeignClient, Fields } from './client.js';

/** What one call came to: the codes that the client gave back, or the message that it threw. */
export interface Step {
  readonly call: string;
  readonly outcome: string;
}

/** What the payer and the merchant platform do meanwhile. */
export interface OtherSide {
  pay(outTradeNo: string): Promise<void>;
  settle(outRefundNo: string): Promise<void>;
}

const SHOWN = ['result_code', 'trade_type', 'trade_state', 'refund_fee', 'refund_status_0'];

/** Order, query, close and refund, each with its answer. */
export async function journey(client: ForeignClient, other: OtherSide, step: (step: Step) => void): Promise<void> {
  const call = async (name: string, reply: () => Promise<Fields>): Promise<void> => {
    try {
      const fields = await reply();
      const shown = SHOWN.flatMap((field) => (fields[field] === undefined ? [] : [String(fields[field])]));
      step({ call: name, outcome: shown.join(' ') });
    } catch (error) {
      step({ call: name, outcome: `threw: ${(error as Error).message}` });
    }
  };
  await call('order', () => client.order('abandoned-order', 100));
  await call('close', () => client.close('abandoned-order'));
  await call('query', () => client.query('abandoned-order'));
  await call('order', () => client.order('paid-order', 1990));
  await call('query', () => client.query('paid-order'));
  await other.pay('paid-order');
  await call('query', () => client.query('paid-order'));
  await call('order', () => client.order('paid-order', 1990));
  await call('refund', () => client.refund('paid-order', 'R1', 1990, 500));
  await call('queryRefund', () => client.queryRefund('R1'));
  await other.settle('R1');
  await call('queryRefund', () => client.queryRefund('R1'));
  await call('query', () => client.query('paid-order'));
  await call('refund', () => client.refund('paid-order', 'R2', 1990, 1500));
}
