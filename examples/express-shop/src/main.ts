import { createShop } from './shop.js';

const port = Number(process.env['PORT'] ?? 3000);
const publicUrl = process.env['PUBLIC_URL'] ?? `http://127.0.0.1:${port}`;
const gateway = process.env['WECHAT_PAY_GATEWAY'];

const shop = createShop({
  publicUrl,
  wechatH5: {
    notifyUrl: process.env['WECHAT_PAY_NOTIFY_URL'] ?? new URL('/wechat/notify', publicUrl).href,
    onProblem: ({ type, code, message, hint }) => console.error(`${type} ${code}: ${message}. ${hint}`),
  },
  // A gateway on this machine is a simulator, and its payment links lead back to it.
  cashierOrigin: gateway?.startsWith('http://') ? new URL(gateway).origin : undefined,
});

const server = shop.listen(port, (error) => {
  if (error) throw error;
  console.log(`西湖游船 West Lake Cruises: ${publicUrl}`);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    server.close();
    server.closeIdleConnections();
  });
}
