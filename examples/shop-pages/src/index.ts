export { errorCode, errorPage, type ShopErrorCode } from './error-page.js';
export { newOrderNumber, readOrderNumber } from './order-number.js';
export { pageHeaders, type Page } from './page.js';
export { PRODUCT, priceText, type Product } from './product.js';
export { productPage } from './product-page.js';
export { resultPage } from './result-page.js';
export { returnPage } from './return-page.js';
export { isSameOrigin } from './same-origin.js';
export { TicketOffice, type Ticket } from './tickets.js';
