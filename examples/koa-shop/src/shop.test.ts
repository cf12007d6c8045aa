import { testShop } from '@wechat-h5-examples/shop-pages/suite';
import { createShop } from './shop.js';

testShop(createShop);
