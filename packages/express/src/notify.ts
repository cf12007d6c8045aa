import {
  bindToRequest,
  captureRequest,
  holdResponse,
  instanceOf,
  isForNotify,
  isPending,
  receiveNotification,
  sendReply,
  type WechatH5Argument,
} from '@wechat-h5/core/adapter';
import { isMounted } from './mounted.js';
import { trustOfApplication } from './trust.js';
import type { ExpressRequest, Middleware } from './wechat-h5.js';

/**
 * Receives WeChat Pay's notifications. Mounted bare, `app.use(wechatH5Notify())`, it answers the path of
 * `notifyUrl` and passes everything else on; inside a route or under a mount path it answers whatever reaches it.
 *
 * With `onPaid` it does the whole exchange. Without, it verifies, sets `req.wechatH5.notification` and calls
 * the next handler, which says `await req.wechatH5.acknowledge()`; anything else ends in FAIL and a problem.
 *
 * @param argument an instance, options laid over the environment, or nothing: the instance that `wechatH5()`
 *   put on the request, else the environment
 * @throws {WechatH5Error} at once, if the configuration is wrong
 */
export function wechatH5Notify<Tx = never>(argument?: WechatH5Argument<Tx>): Middleware {
  const fixed = argument === undefined ? undefined : instanceOf(argument);
  return function wechatH5NotifyMiddleware(request: ExpressRequest, response, next) {
    const captured = captureRequest(request, request.originalUrl);
    const instance = fixed ?? request.wechatH5?.instance ?? instanceOf();
    if (!isMounted(request, wechatH5NotifyMiddleware) && !isForNotify(instance, captured.path)) return next();
    receiveNotification(instance, request, captured).then((answer) => {
      if (!isPending(answer)) return sendReply(response, answer);
      if (request.wechatH5?.instance !== instance)
        request.wechatH5 = bindToRequest(instance, captured, trustOfApplication(request));
      request.wechatH5.receive(answer);
      holdResponse(response, answer);
      next();
    }, next);
  };
}
