export {
  closeInstance,
  instanceOf,
  isInstance,
  notifyPathOf,
  setHandlers,
  startReconciler,
  type WechatH5Argument,
} from './adapter-instance.js';
export {
  isForPayer,
  pageReply,
  payerReply,
  requirePayerPage,
  type Page,
  type PayerPageName,
  type PayerRequest,
} from './adapter-pages.js';
export { bindToRequest, BoundWechatH5, type RequestWechatH5, type RoutedNotification } from './bound-request.js';
export { captureRequest, type CapturedRequest } from './captured-request.js';
export { namingVariables } from './environment.js';
export { gatewayBases } from './gateway-hosts.js';
export type { PendingNotification } from './pending-notification.js';
export type { ParsedBody, ParsedIncomingMessage } from './raw-body.js';
export { holdResponse, isForNotify, isPending, receiveNotification } from './receive-notification.js';
export { sendPage, sendReply } from './send-reply.js';
