import { createSimulator } from '@wechat-h5/simulator';

/** What the process says first, on one line. */
export interface SimulatorStarted {
  readonly environment: {
    readonly WECHAT_PAY_APP_ID: string;
    readonly WECHAT_PAY_MCH_ID: string;
    readonly WECHAT_PAY_API_KEY: string;
    readonly WECHAT_PAY_GATEWAY: string;
  };
  readonly tls: { readonly url: string; readonly ca: string };
  readonly certificate: { readonly cert: string; readonly key: string };
}

// A program: the simulator as a process of its own, which also hands out the merchant's certificate.
async function main(): Promise<void> {
  const { url, tls, merchant } = await createSimulator({ refundSeconds: Infinity });
  const { appId, mchId, apiKey, certificate } = merchant;
  const started: SimulatorStarted = {
    environment: {
      WECHAT_PAY_APP_ID: appId,
      WECHAT_PAY_MCH_ID: mchId,
      WECHAT_PAY_API_KEY: apiKey,
      WECHAT_PAY_GATEWAY: url,
    },
    tls,
    certificate,
  };
  process.stdout.write(`${JSON.stringify(started)}\n`);
}

if (require.main === module) void main();
