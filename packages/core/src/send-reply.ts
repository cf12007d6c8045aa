import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { NotificationReply } from './notification-reply.js';
import type { PageReply } from './page.js';

/** What a payer's browser is told beside the page: its session, and to come over https. */
const KEPT_FOR_PAYERS = ['set-cookie', 'strict-transport-security'];

/** Writes a payer's page. Of the headers that the application had set only its cookies and HSTS are left. */
export function sendPage(response: ServerResponse, reply: PageReply): void {
  const { req: request } = response;
  // A form that was given up halfway blocks its connection: the next payer's request behind it would never be heard.
  const isGivenUp = request.readableDidRead && !request.complete;
  const headers = isGivenUp ? { ...reply.headers, connection: 'close' } : reply.headers;
  sendReply(response, { ...reply, headers }, KEPT_FOR_PAYERS);
}

/**
 * Writes a reply to the byte, whatever headers the application had set before.
 * @param kept names of headers of the application that stay
 */
export function sendReply(
  response: ServerResponse,
  reply: NotificationReply | PageReply,
  kept: readonly string[] = [],
): void {
  if (response.headersSent || response.destroyed) return;
  for (const name of response.getHeaderNames()) if (!kept.includes(name)) response.removeHeader(name);
  response.writeHead(reply.status, STATUS_CODES[reply.status] ?? '', reply.headers);
  if (reply.headers['connection'] !== 'close') response.end(reply.body);
  else linger(response, reply.body);
}

/** How long what a sender still has to say is listened to, unheard, before its connection is closed. */
const LINGER_MS = 1000;

/**
 * Answers a sender who is not done sending. Closed with bytes unread, a connection is reset, and the reset can
 * overtake the reply: so the rest is thrown away for a moment first.
 */
function linger(response: ServerResponse, body: string): void {
  const { req: request } = response;
  const end = (): void => {
    clearTimeout(timer);
    request.off('end', end).off('close', end);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  response.write(body);
  request.on('end', end).on('close', end);
  if (request.readableEnded || request.destroyed) end();
  else request.resume();
}
