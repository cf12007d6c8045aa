import type { HttpReply, HttpRequest } from './http-exchange.js';

const TITLES = {
  none: 'No required SSL certificate was sent',
  foreign: 'The SSL certificate error',
} as const;

/**
 * What WeChat Pay's web server says before anybody reads the message, when the connection came without the merchant's
 * certificate. `undefined` when nothing is wrong, and on plain http, where no certificate can be shown.
 */
export function refusedCertificate({ clientCertificate }: HttpRequest): (HttpReply & { reason: string }) | undefined {
  if (clientCertificate === undefined || clientCertificate === 'trusted') return undefined;
  const title = TITLES[clientCertificate];
  const body = [
    '<html>',
    `<head><title>400 ${title}</title></head>`,
    '<body bgcolor="white">',
    '<center><h1>400 Bad Request</h1></center>',
    `<center>${title}</center>`,
    '<hr><center>nginx</center>',
    '</body>',
    '</html>',
    '',
  ].join('\r\n');
  return { status: 400, headers: { 'content-type': 'text/html' }, body, reason: title };
}
