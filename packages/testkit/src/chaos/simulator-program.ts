import { createSimulator } from '@wechat-h5/simulator';

/** What the driver asks of the simulator's process. */
export type SimulatorRequest =
  | { readonly do: 'pay'; readonly outTradeNo: string; readonly lose: boolean }
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
  const simulator = await createSimulator({ timeScale: 0.05 });
  const { appId, mchId, apiKey } = simulator.merchant;

  const obey = async (request: SimulatorRequest): Promise<unknown> => {
    switch (request.do) {
      case 'pay':
        if (request.lose) simulator.faults.loseNotification({ outTradeNo: request.outTradeNo });
        // The first delivery may take five seconds: nobody waits for it. An order that was never placed is not paid.
        simulator.pay(request.outTradeNo).catch(() => {});
        return undefined;
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
