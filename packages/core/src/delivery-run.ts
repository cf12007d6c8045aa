import { WechatH5Error } from './errors.js';

/** What a handler is told beside the payment or refund. */
export interface HandlerContext<Tx = never> {
  /** 1 on the first run. More: an earlier run threw, took too long, or its process died. */
  readonly attempt: number;
  /** The same for every run for this payment or refund, for systems of yours that deduplicate. */
  readonly idempotencyKey: string;
  /** What the shop calls the purchase, for orders placed with `orderRef`. */
  readonly orderRef?: string;
  /** Aborts when this run can no longer succeed: it took too long, or another machine has taken over. */
  readonly signal: AbortSignal;
  /** The book's open transaction, with a book that offers one: what is written through it commits with the delivery. */
  readonly tx?: Tx;
}

export type Handler<Tx> = (context: HandlerContext<Tx>) => Promise<void> | void;

const HANDLER_TIMEOUT_MS = 5 * 60_000;

/**
 * One run of a handler under a lease, which is renewed as long as it runs. Resolves when the handler does; rejects when
 * it throws, takes too long, or the lease is lost meanwhile.
 *
 * @param name as the shop knows the handler
 * @param lease.renew `lost`: somebody else holds it by now
 */
export async function runHandler<Tx>(
  name: string,
  handler: Handler<Tx>,
  told: Omit<HandlerContext<Tx>, 'signal'>,
  lease: { ms: number; renew: () => Promise<'held' | 'lost'> },
): Promise<void> {
  let controller: AbortController | undefined;
  const abortion = (): AbortController => (controller ??= new AbortController());
  const running = handler({
    ...told,
    // Few handlers ask for it.
    get signal() {
      return abortion().signal;
    },
  });
  // What has ended already needs nobody to watch it.
  if (typeof running?.then !== 'function') return;
  let stop: () => void = () => {};
  const ended = new Promise<void>((resolve, reject) => {
    running.then(() => resolve(), reject);
    const giveUp = (error: WechatH5Error): void => {
      abortion().abort(error);
      reject(error);
    };
    const renewal = setInterval(() => {
      lease.renew().then(
        (held) => held === 'lost' && giveUp(new WechatH5Error('HANDLER_FAILED', 'The lease was lost')),
        // A book that is away for a moment: the next renewal decides.
        () => {},
      );
    }, lease.ms / 3).unref();
    const timer = setTimeout(() => {
      const minutes = HANDLER_TIMEOUT_MS / 60_000;
      giveUp(new WechatH5Error('HANDLER_TIMEOUT', `${name} has not ended after ${minutes} minutes`));
    }, HANDLER_TIMEOUT_MS).unref();
    stop = () => {
      clearInterval(renewal);
      clearTimeout(timer);
    };
  });
  await ended.finally(stop);
}
