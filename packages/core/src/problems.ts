import { channel } from 'node:diagnostics_channel';
import { WechatH5Error, type WechatH5ErrorCode } from './errors.js';

/**
 * Something the merchant has to know and that no payer or caller was told, or not all of it.
 *
 * `refused`: a notification was not believed. `order-unknown`: a genuine payment for an order nobody
 * knows. `quarantined`: a genuine payment contradicts the stored order (amount, currency, attach, app).
 * `paid-twice`: one order, two genuine payments; refund one. `paid-after-close`: the goods may be gone; refund it or deliver by hand. `refunded-before-delivery`: the money is
 * back, so `onPaid` was not called. `payment-failed`: WeChat Pay reports a payment that
 * failed. `refund-failed`: a refund was closed, or the payer's bank refused it. `handler-failed`: `onPaid` or `onRefunded` threw or took too long; WeChat Pay repeats.
 * `gave-up`: they failed too often, or a refund had no end for weeks, and a person has to look. `not-acknowledged`: a route
 * answered, or ended, without `acknowledge()`. `misconfigured`: the deployment, not a message, is wrong.
 * `checkout-failed`: a payer was shown that the shop failed, or that WeChat Pay did not answer.
 * `payer-ipv6`: an order was placed for an IPv6 payer, whom WeChat Pay may see under an IPv4 address.
 */
export type ProblemType =
  | 'refused'
  | 'order-unknown'
  | 'quarantined'
  | 'paid-after-close'
  | 'paid-twice'
  | 'refunded-before-delivery'
  | 'payment-failed'
  | 'refund-failed'
  | 'handler-failed'
  | 'gave-up'
  | 'not-acknowledged'
  | 'misconfigured'
  | 'checkout-failed'
  | 'payer-ipv6';

export interface Problem {
  type: ProblemType;
  code: WechatH5ErrorCode;
  message: string;
  /** What to do, in English and Chinese. */
  hint: string;
  outTradeNo?: string;
  transactionId?: string;
  /** The official field or the option concerned. */
  field?: string;
  error: Error;
}

/** The name of the node:diagnostics_channel on which every {@link Problem} is published as well. */
const PROBLEM_CHANNEL = 'wechat-h5:problem';

const problems = channel(PROBLEM_CHANNEL);

export interface ProblemSubject {
  outTradeNo?: string | undefined;
  transactionId?: string | undefined;
}

export type ProblemReporter = (type: ProblemType, error: WechatH5Error, subject?: ProblemSubject) => void;

/** Problems go to the option and the channel; with neither, to `process.emitWarning`, once per code. */
export function createProblemReporter(onProblem: ((problem: Problem) => void) | undefined): ProblemReporter {
  const warned = new Set<string>();
  return (type, error, subject = {}) => {
    const problem: Problem = { type, code: error.code, message: error.message, hint: error.hint, error };
    if (error.field !== undefined) problem.field = error.field;
    if (subject.outTradeNo !== undefined) problem.outTradeNo = subject.outTradeNo;
    if (subject.transactionId !== undefined) problem.transactionId = subject.transactionId;
    problems.publish(problem);
    if (onProblem !== undefined) {
      // A listener that fails must not fail a payment; nor, when it fails later, the process.
      try {
        const told: unknown = onProblem(problem);
        if (told !== undefined) Promise.resolve(told).catch(warnOfListener);
      } catch (thrown) {
        warnOfListener(thrown);
      }
    } else if (!problems.hasSubscribers && !warned.has(`${type} ${error.code}`)) {
      warned.add(`${type} ${error.code}`);
      process.emitWarning(`${error.message}. ${error.hint}`, { type: 'WechatH5Warning', code: error.code });
    }
  };
}

function warnOfListener(thrown: unknown): void {
  process.emitWarning(thrown instanceof Error ? thrown : String(thrown), { code: 'WECHAT_H5_ON_PROBLEM' });
}

/** What was thrown, as this library's error, keeping the original as `cause`. */
export function asWechatH5Error(
  thrown: unknown,
  code: WechatH5ErrorCode,
  message: string,
  hint: string,
): WechatH5Error {
  return new WechatH5Error(code, message, { hint, cause: thrown });
}
