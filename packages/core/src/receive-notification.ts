import type { IncomingMessage, ServerResponse } from 'node:http';
import { partsFor } from './adapter-instance.js';
import type { CapturedRequest } from './captured-request.js';
import type { NotificationReply } from './notification-reply.js';
import type { PendingNotification } from './pending-notification.js';
import { readRawBody, type ParsedBody, type ParsedIncomingMessage } from './raw-body.js';
import { sendReply } from './send-reply.js';
import type { WechatH5 } from './wechat-h5.js';

/** Whether a bare notify middleware answers this request: by the path the client asked for, a closing slash or not. */
export function isForNotify(instance: WechatH5, path: string): boolean {
  const { notifyPath } = partsFor(instance);
  return path === notifyPath || trimSlash(path) === trimSlash(notifyPath);
}

function trimSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/**
 * One notification, from the request to what has to be answered: a reply, or with no `onPaid` a verified
 * payment for a route to acknowledge. Never rejects.
 *
 * @param parsed where the framework's parsers leave their result, if that is not the request itself
 */
export async function receiveNotification(
  instance: WechatH5,
  request: ParsedIncomingMessage,
  { method, receivedAt, rawHeaders, remoteAddress }: CapturedRequest,
  parsed: ParsedBody = request,
): Promise<NotificationReply | PendingNotification> {
  const { endpoint, hasHandler } = partsFor(instance);
  const { places } = endpoint;
  let body: Uint8Array;
  try {
    // Whoever does not post has no body to wait for.
    body = method === 'POST' ? await readRawBody(request, { enter: places.enterReading }, parsed) : new Uint8Array();
  } catch (error) {
    const reply = endpoint.refuse(error, receivedAt);
    // A body given up halfway blocks its connection: the next request behind it would never be heard.
    const isGivenUp = request.readableDidRead && !request.complete;
    return isGivenUp ? { ...reply, headers: { ...reply.headers, connection: 'close' } } : reply;
  }
  try {
    places.enter();
  } catch (error) {
    return endpoint.refuse(error, receivedAt);
  }
  const notification = { method, body, receivedAt, rawHeaders, remoteAddress };
  const answer = await (hasHandler ? endpoint.handle(notification) : endpoint.open(notification));
  if (isPending(answer)) {
    forgetBody(request);
    // A route keeps the place until its notification is answered.
    void answer.reply.then(() => places.leave());
  } else {
    places.leave();
  }
  return answer;
}

/** A parser in front of the route that still sees a body announced waits for it, or refuses its type. */
function forgetBody({ headers }: IncomingMessage): void {
  for (const name of ['content-type', 'content-length', 'transfer-encoding']) delete headers[name];
}

export function isPending(answer: NotificationReply | PendingNotification): answer is PendingNotification {
  return 'acknowledge' in answer;
}

/**
 * Keeps a route from answering in place of the notification's reply: what it writes before it has
 * acknowledged turns into FAIL, what it writes afterwards is dropped.
 */
export function holdResponse(response: ServerResponse, pending: PendingNotification): void {
  const { writeHead, write, end } = response;
  const answered = (): ServerResponse => {
    pending.abandon('the route answered without it');
    return response;
  };
  Object.assign(response, {
    writeHead: answered,
    flushHeaders: answered,
    write: () => {
      answered();
      return true;
    },
    end: answered,
  });
  void pending.reply.then((reply) => {
    Object.assign(response, { writeHead, write, end });
    sendReply(response, reply);
    const ignore = (): ServerResponse => response;
    Object.assign(response, {
      writeHead: ignore,
      flushHeaders: ignore,
      setHeader: ignore,
      removeHeader: ignore,
      appendHeader: ignore,
      write: () => true,
      end: ignore,
    });
  });
}
