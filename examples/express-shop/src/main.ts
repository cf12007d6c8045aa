import { shopSettings } from '@wechat-h5-examples/shop-pages';
import { createShop } from './shop.js';

const { port, ...options } = shopSettings();

const server = createShop(options).listen(port, (error) => {
  if (error) throw error;
  console.log(`西湖游船 West Lake Cruises: ${options.publicUrl}`);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    server.close();
    server.closeIdleConnections();
  });
}
