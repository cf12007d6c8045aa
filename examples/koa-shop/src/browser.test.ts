import { testShopInBrowser } from '@wechat-h5-examples/shop-pages/browser-suite';
import { createShop } from './shop.js';

testShopInBrowser('Koa', createShop);
