import { createSimulator } from '@wechat-h5/simulator';

/** What the driver asks of the simulator's process. */
export type SimulatorRequest =
  | { readonly do: 'pay'; readonly outTradeNo: string; readonly lose: boolean; readonly lateMs: number }
  /** The reply to the next order of this number is cut off, once it is placed. */
  | { readonly do: 'cut'; readonly operation: 'unifiedorder' | 'refund'; readonly outTradeNo: string }
  /** A payment of an order that was placed nowhere; like that of `like`, and signed. */
  | { readonly do: 'stray'; readonly outTradeNo: string; readonly like: string }
  /** A payment of one fen, signed with the merchant's own key. */
  | { readonly do: 'forge'; readonly outTradeNo: string }
  | { readonly do: 'repeat'; readonly outTradeNo: string; readonly copies: number }
  | { readonly do: 'record' };

/** WeChat Pay's own truth. */
export interface SimulatorRecord {
  readonly orders: readonly {
    readonly outTradeNo: string;
    readonly totalFee: number;
    readonly tradeState: string;
    readonly transactionId: string | undefined;
  }[];
  /** Refunds that it was asked for, accepted or not. */
  readonly refundsAsked: readonly {
    readonly outTradeNo: string;
    readonly outRefundNo: string;
    readonly refundFee: number;
  }[];
  /** Refunds that it made. */
  readonly refunds: readonly { readonly outTradeNo: string; readonly outRefundNo: string; readonly status: string }[];
  readonly deliveries: number;
  readonly repetitions: number;
}

export interface SimulatorReady {
  readonly url: string;
  readonly merchant: { readonly appId: string; readonly mchId: string; readonly apiKey: string };
}

process.once('disconnect', () => process.exit(0));

async function main(): Promise<void> {
  // 15 s, 15 s, 30 s, 3 min become 0.75 s, 0.75 s, 1.5 s, 9 s.
  const simulator = await createSimulator({ timeScale: 0.05, refundSeconds: 1 });
  const { appId, mchId, apiKey } = simulator.merchant;

  const refundsAsked: SimulatorRecord['refundsAsked'][number][] = [];
  simulator.events.subscribe(({ type, operation, fields }) => {
    if (type !== 'gateway.request' || operation !== 'refund' || fields === undefined) return;
    const { out_trade_no: outTradeNo = '', out_refund_no: outRefundNo = '', refund_fee: refundFee } = fields;
    refundsAsked.push({ outTradeNo, outRefundNo, refundFee: Number(refundFee) });
  });

  const obey = async (request: SimulatorRequest): Promise<unknown> => {
    switch (request.do) {
      case 'pay':
        if (request.lose) simulator.faults.loseNotification({ outTradeNo: request.outTradeNo });
        if (request.lateMs > 0) simulator.faults.delayNotification(request.lateMs, { outTradeNo: request.outTradeNo });
        // The first delivery may take five seconds: nobody waits for it. An order that was never placed is not paid.
        simulator.pay(request.outTradeNo).catch(() => {});
        return undefined;
      case 'cut':
        simulator.faults.nextCall(request.operation, { drop: 'apply' }, { outTradeNo: request.outTradeNo });
        return undefined;
      case 'stray': {
        const fields = { out_trade_no: request.outTradeNo, transaction_id: `42${request.outTradeNo}`.slice(0, 32) };
        await simulator.faults.forgeNotification(request.like, { apiKey, fields });
        return undefined;
      }
      case 'forge': {
        const fields = { total_fee: '1', cash_fee: '1' };
        await simulator.faults.forgeNotification(request.outTradeNo, { apiKey, fields });
        return undefined;
      }
      case 'repeat':
        await simulator.notifications.send(request.outTradeNo, { copies: request.copies });
        return undefined;
      case 'record': {
        const attempts = simulator.notifications.list();
        return {
          orders: simulator.orders.list().map(({ outTradeNo, totalFee, tradeState, payment }) => ({
            outTradeNo,
            totalFee,
            tradeState,
            transactionId: payment?.transactionId,
          })),
          refundsAsked,
          refunds: simulator.refunds.list().map(({ outTradeNo, outRefundNo, status }) => ({
            outTradeNo,
            outRefundNo,
            status,
          })),
          deliveries: attempts.length,
          repetitions: attempts.filter(({ attempt }) => attempt > 1).length,
        } satisfies SimulatorRecord;
      }
    }
  };
  process.on('message', ({ id, request }: { id: number; request: SimulatorRequest }) => {
    obey(request).then(
      (result) => process.send?.({ id, result }),
      (error: unknown) => process.send?.({ id, error: String(error) }),
    );
  });
  process.send?.({ url: simulator.url, merchant: { appId, mchId, apiKey } } satisfies SimulatorReady);
}

void main();
