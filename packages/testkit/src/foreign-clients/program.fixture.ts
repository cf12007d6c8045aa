import { subscribe } from 'node:diagnostics_channel';
import { createServer, type ClientRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { axiosPluginClient } from './axios-plugin-client.js';
import type { Account, ForeignClient } from './client.js';
import { journey } from './journey.js';
import { tenpayClient } from './tenpay-client.js';

/*
 * A process of its own, so that the authority is trusted the way that Node's users do it, by NODE_EXTRA_CA_CERTS, and
 * nothing of the client has to be touched. What it sends is written down by Node, not by the client.
 */

const CLIENTS: Readonly<Record<string, (account: Account) => ForeignClient>> = {
  tenpay: tenpayClient,
  'wechatpay-axios-plugin': axiosPluginClient,
};

function tell(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function main(): Promise<void> {
  const given = JSON.parse(process.env['FOREIGN_CLIENT'] ?? '') as Omit<Account, 'notifyUrl'> & {
    readonly client: string;
    readonly control: string;
  };
  const known: { client?: ForeignClient } = {};
  const shop = createServer((request, response) => {
    const kind = request.url === '/refunded' ? 'refund' : 'pay';
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      void known.client?.notified(kind, Buffer.concat(chunks).toString('utf8')).then(({ fields, reply }) => {
        tell({ call: `notified: ${kind}`, outcome: String(fields['total_fee'] ?? 'refused') });
        response.end(reply);
      });
    });
  });
  await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve));
  const shopUrl = `http://127.0.0.1:${(shop.address() as AddressInfo).port}`;
  subscribe('http.client.request.start', (message) => {
    const { method, path, protocol } = (message as { request: ClientRequest }).request;
    tell({ sent: `${method} ${protocol}//…${path}` });
  });
  const client = CLIENTS[given.client]?.({ ...given, notifyUrl: `${shopUrl}/paid` });
  if (!client) throw new Error('no such client');
  known.client = client;
  const command = async (name: string, body: object): Promise<void> => {
    const headers = { 'content-type': 'application/json' };
    const reply = await fetch(`${given.control}/__simulator/${name}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    if (!reply.ok) throw new Error(await reply.text());
  };
  const other = {
    pay: (outTradeNo: string) => command('pay', { outTradeNo }),
    // A refund that was turned away is none to settle.
    settle: (outRefundNo: string) => command('settle-refund', { outRefundNo }).catch(() => undefined),
  };
  await journey(client, other, tell);
  await command('refund', { outTradeNo: 'paid-order', refundFee: 1, notifyUrl: `${shopUrl}/refunded` });
  shop.close();
  shop.closeAllConnections();
}

void main();
