import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { listenIn, type Fields } from './received-message.js';

/** Sends the chunks one after the other; returns what was overheard, and what the receiver itself read. */
async function exchange(contentType: string, chunks: readonly Buffer[]): Promise<{ heard: Fields; read: Buffer }> {
  let heard: Fields = { heard: 'nothing' };
  const server = createServer();
  const received = new Promise<Buffer>((resolve, reject) => {
    server.on('request', (message: IncomingMessage, response) => {
      listenIn(message, (fields) => {
        heard = fields;
      });
      // The receiver comes late, when bytes have arrived already.
      setTimeout(async () => {
        const parts: Buffer[] = [];
        for await (const part of message as AsyncIterable<Buffer>) parts.push(part);
        response.end();
        resolve(Buffer.concat(parts));
      }, 20).unref();
      message.once('error', reject);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const sending = request({ port, host: '127.0.0.1', method: 'POST', headers: { 'content-type': contentType } });
  for (const chunk of chunks) {
    sending.write(chunk);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  sending.end();
  sending.once('response', (response) => response.resume());
  const read = await received;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  return { heard, read };
}

test('a message split inside a character is overheard whole, and still read whole', async () => {
  const body = Buffer.from('<xml><body><![CDATA[西湖]]></body><total_fee>1990</total_fee></xml>');
  const middle = body.indexOf('西') + 1;
  const { heard, read } = await exchange('text/xml', [body.subarray(0, middle), body.subarray(middle)]);
  expect(heard).toEqual({ body: '西湖', total_fee: '1990' });
  expect(read).toEqual(body);
});

test.each([
  ['application/x-www-form-urlencoded', 'order=a%26b&x=', { order: 'a&b', x: '' }],
  ['text/xml; charset=utf-8', '<xml><a>1', {}],
  ['application/json', '{"a":1}', {}],
  ['application/x-www-form-urlencoded', '', {}],
])('%s %s', async (contentType, body, expected) => {
  const { heard, read } = await exchange(contentType, body === '' ? [] : [Buffer.from(body)]);
  expect(heard).toEqual(expected);
  expect(read.toString()).toBe(body);
});
