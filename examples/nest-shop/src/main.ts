import { shopSettings } from '@wechat-h5-examples/shop-pages';
import { createApplication } from './shop.js';

const { port, ...options } = shopSettings();

const application = await createApplication(options);
application.enableShutdownHooks();
await application.listen(port);
console.log(`西湖游船 West Lake Cruises: ${options.publicUrl}`);
