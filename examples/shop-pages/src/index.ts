export { newOrderNumber, readOrderNumber } from './order-number.js';
export { pageHeaders } from './page.js';
export { PRODUCT, priceText, type Product } from './product.js';
export { productPage } from './product-page.js';
export type { CreateShop, ShopOptions } from './shop-options.js';
export { SHOP_NAME, shopSettings } from './shop-settings.js';
export { TicketOffice, type Ticket } from './tickets.js';
