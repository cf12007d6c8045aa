import type { ClientIpRequest } from './client-ip.js';

/** A request for one of the pages this library serves, as plain data. */
export interface PageRequest extends ClientIpRequest {
  method: string;
  /** Of the URL as the client sent it, without the query. */
  path: string;
  /** The query of that URL, without the question mark. */
  query?: string;
}

/** What to send back, to the byte. */
export interface PageReply {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** Nothing these pages show may be kept, framed, sniffed or passed on. */
const GUARDED = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'strict-origin-when-cross-origin',
} as const;

export function htmlReply(status: number, body: string): PageReply {
  return guardedHtmlReply(status, body, { 'style-src': "'unsafe-inline'", 'form-action': "'self'" });
}

/** @param allowed what the page's Content-Security-Policy allows beside nothing at all */
export function guardedHtmlReply(
  status: number,
  body: string,
  allowed: Readonly<Record<'style-src' | 'form-action', string>>,
): PageReply {
  const directives = { 'default-src': "'none'", ...allowed, 'base-uri': "'none'", 'frame-ancestors': "'none'" };
  const policy = Object.entries(directives).map((directive) => directive.join(' '));
  return reply(status, 'text/html; charset=utf-8', body, { 'content-security-policy': policy.join('; ') });
}

/** Sends a browser on with GET, whatever it had sent, and lets the next site see this one's origin, and no more. */
export function seeOtherReply(location: string): PageReply {
  return reply(303, 'text/plain; charset=utf-8', '', {
    location,
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  });
}

export function jsonReply(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): PageReply {
  return reply(status, 'application/json; charset=utf-8', `${JSON.stringify(value, null, 2)}\n`, headers);
}

export function textReply(status: number, body: string, headers: Readonly<Record<string, string>> = {}): PageReply {
  return reply(status, 'text/plain; charset=utf-8', body, headers);
}

/** Text as it may stand in HTML, between tags or in a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function reply(status: number, type: string, body: string, headers: Readonly<Record<string, string>>): PageReply {
  return {
    status,
    headers: { 'content-type': type, 'content-length': String(Buffer.byteLength(body)), ...GUARDED, ...headers },
    body,
  };
}
