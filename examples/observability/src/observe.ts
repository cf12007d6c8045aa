import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { NotificationEvent, Problem } from '@wechat-h5/core';
import type { Logger } from 'pino';
import { Counter, Histogram, type Registry } from 'prom-client';

const STAGES = ['received', 'verified', 'refused', 'handled', 'acknowledged'] as const;

/**
 * Turns the events of wechat-h5 into log lines and metrics. They are published on node:diagnostics_channel, so nothing
 * of this touches the shop or the middleware. No event holds a key, a signature, an openid or a message.
 *
 * Labels have few values: stages, codes, problem types. An order's number belongs into the log, never into a label.
 *
 * @returns stops observing
 */
export function observe(logger: Logger, registry: Registry): () => void {
  const notifications = new Counter({
    name: 'wechat_h5_notifications_total',
    help: 'Notifications by the stage they reached; refused ones by the code of the refusal',
    labelNames: ['stage', 'code'],
    registers: [registry],
  });
  const durations = new Histogram({
    name: 'wechat_h5_notification_duration_seconds',
    help: 'From the arrival of a notification to its acknowledgement or refusal',
    labelNames: ['outcome'],
    // WeChat Pay waits five seconds; the middleware answers within four.
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 1, 2, 4, 5],
    registers: [registry],
  });
  const problems = new Counter({
    name: 'wechat_h5_problems_total',
    help: 'Problems a merchant has to know of',
    labelNames: ['type', 'code'],
    registers: [registry],
  });

  const listeners: [string, (message: unknown) => void][] = STAGES.map((stage) => [
    `wechat-h5:notification:${stage}`,
    (message) => {
      const event = message as NotificationEvent;
      notifications.inc({ stage, code: event.code ?? '' });
      if (stage === 'acknowledged' || stage === 'refused')
        durations.observe({ outcome: stage }, event.durationMs / 1000);
      logger[stage === 'refused' ? 'warn' : 'info']({ notification: event }, `notification ${stage}`);
    },
  ]);
  listeners.push([
    'wechat-h5:problem',
    (message) => {
      const { type, code, message: what, hint, outTradeNo, transactionId } = message as Problem;
      problems.inc({ type, code });
      logger.error({ problem: { type, code, hint, outTradeNo, transactionId } }, what);
    },
  ]);

  for (const [name, listener] of listeners) subscribe(name, listener);
  return () => {
    for (const [name, listener] of listeners) unsubscribe(name, listener);
  };
}
