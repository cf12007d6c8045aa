import type { Handlers } from './delivery.js';
import { namingVariables, withEnvironment } from './environment.js';
import { WechatH5Error } from './errors.js';
import { MemoryOrderBook } from './memory-order-book.js';
import type { WechatH5Options } from './options.js';
import { createWechatH5, partsOf, type InstanceParts, type WechatH5 } from './wechat-h5.js';

/** What a middleware may be given: an instance, or options laid over the environment. */
export type WechatH5Argument<Tx = never> = WechatH5 | Partial<WechatH5Options<Tx>>;

const instances = new WeakMap<object, WechatH5>();
let ofEnvironment: WechatH5 | undefined;
// Instances whose merchant comes from the environment are one merchant: in development they share one book,
// so that what wechatH5() ordered is known to wechatH5Notify({ onPaid }).
const environmentBook = new MemoryOrderBook();

/**
 * The instance an argument stands for: itself, or the one made from these options; the same options object
 * always gives the same instance.
 * @throws {WechatH5Error} as `createWechatH5`, and `ENVIRONMENT_INVALID`
 */
export function instanceOf<Tx>(argument?: WechatH5Argument<Tx>): WechatH5 {
  if (argument === undefined) return (ofEnvironment ??= make({}));
  if (partsOf(argument) !== undefined) return argument as WechatH5;
  let instance = instances.get(argument);
  if (instance === undefined) {
    instance = make(argument as Partial<WechatH5Options<Tx>>);
    instances.set(argument, instance);
  }
  return instance;
}

/** Whether an argument is an instance, of this copy of the package or another, and not options for one. */
export function isInstance(value: unknown): value is WechatH5 {
  return partsOf(value) !== undefined;
}

/**
 * For frameworks that find the shop's handlers only after the instance was made: gives them to it, once,
 * before the first notification.
 * @throws {WechatH5Error} `OPTIONS_INVALID`, if there is such a handler already
 */
export function setHandlers(instance: WechatH5, handlers: Handlers<unknown>): void {
  partsFor(instance).setHandlers(handlers);
}

/** Where the application sees the notifications of an instance. */
export function notifyPathOf(instance: WechatH5): string {
  return partsFor(instance).notifyPath;
}

/** For instances that an adapter made itself: looks after unsettled orders, if there is an `onPaid` and `reconcile` lets it. */
export function startReconciler(instance: WechatH5): void {
  const { hasHandler, reconciler } = partsFor(instance);
  if (hasHandler && reconciler.isAutomatic) instance.start();
}

/**
 * Ends an instance's connections to WeChat Pay, when the application that made it shuts down: calls in flight have
 * five seconds to end.
 */
export function closeInstance(instance: WechatH5): Promise<void> {
  return partsFor(instance).close();
}

function make<Tx>(given: Partial<WechatH5Options<Tx>>): WechatH5 {
  const options = withEnvironment(given);
  const shares =
    given.merchant === undefined && options.orderBook === undefined && process.env['NODE_ENV'] !== 'production';
  const book = environmentBook as NonNullable<typeof options.orderBook>;
  const instance = namingVariables(given, () => createWechatH5(shares ? { ...options, orderBook: book } : options));
  startReconciler(instance);
  return instance;
}

export function partsFor(instance: WechatH5): InstanceParts {
  const parts = partsOf(instance);
  if (parts !== undefined) return parts;
  throw new WechatH5Error('OPTIONS_INVALID', 'The argument is not an instance made by createWechatH5', {
    hint: 'Pass the result of createWechatH5, options, or nothing.',
  });
}
