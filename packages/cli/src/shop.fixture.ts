import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWechatH5 } from '@wechat-h5/core';
import { Programs, type Ran } from './processes.fixture.js';

export const OTHER_KEY = 'k'.repeat(16) + 'Z9'.repeat(8);

/** A simulator, the variables that lead to it, and orders in it. */
export class Shop {
  readonly programs = new Programs();
  env: Record<string, string> = {};
  /** Beside {@link env}: over TLS, with the certificate that refunds need. */
  withCertificate: Record<string, string> = {};
  #orders = 0;

  static async open(): Promise<Shop> {
    const shop = new Shop();
    const { environment, tls, certificate } = await shop.programs.simulator();
    const file = (name: string, contents: string): string => {
      const path = join(shop.programs.folder, name);
      writeFileSync(path, contents, { mode: 0o600 });
      return path;
    };
    shop.env = {
      ...environment,
      WECHAT_PAY_NOTIFY_URL: 'http://127.0.0.1:9/notify',
      LANG: 'en_US.UTF-8',
    };
    shop.withCertificate = {
      WECHAT_PAY_GATEWAY: tls.url,
      NODE_EXTRA_CA_CERTS: file('ca.pem', tls.ca),
      WECHAT_PAY_CERTIFICATE_FILE: file('apiclient_cert.pem', certificate.cert),
      WECHAT_PAY_PRIVATE_KEY_FILE: file('apiclient_key.pem', certificate.key),
    };
    shop.programs.keepSecret(OTHER_KEY, certificate.key.split('\n')[1] as string);
    return shop;
  }

  close(): Promise<void> {
    return this.programs.stop();
  }

  run(args: readonly string[], extra: NodeJS.ProcessEnv = {}, input?: string): Promise<Ran> {
    return this.programs.run(args, { env: { ...this.env, ...extra }, ...(input !== undefined && { input }) });
  }

  get merchant() {
    const { WECHAT_PAY_APP_ID: appId = '', WECHAT_PAY_MCH_ID: mchId = '', WECHAT_PAY_API_KEY: apiKey = '' } = this.env;
    return { appId, mchId, apiKey };
  }

  /** Places an order. @returns its number */
  async order(totalFee = 1990, outTradeNo = `CLI-${++this.#orders}-order`): Promise<string> {
    const wechatH5 = createWechatH5({
      merchant: this.merchant,
      notifyUrl: this.env['WECHAT_PAY_NOTIFY_URL'] as string,
      gateway: this.env['WECHAT_PAY_GATEWAY'] as string,
    });
    await wechatH5.createOrder({ outTradeNo, body: 'Tea', totalFee, clientIp: '127.0.0.1' });
    return outTradeNo;
  }

  async paidOrder(totalFee?: number): Promise<string> {
    const outTradeNo = await this.order(totalFee);
    await this.control('pay', { outTradeNo });
    return outTradeNo;
  }

  /** A command of the simulator. */
  async control(command: string, body: object): Promise<void> {
    const reply = await fetch(`${this.env['WECHAT_PAY_GATEWAY']}/__simulator/${command}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (reply.status !== 200) throw new Error(`${command}: ${await reply.text()}`);
  }
}

/** What `--json` wrote: one object on one line. */
export function json({ stdout }: Ran): Record<string, unknown> {
  if (!/^\{.*\}\n$/.test(stdout)) throw new Error(`not one line of JSON: ${stdout}`);
  return JSON.parse(stdout) as Record<string, unknown>;
}
