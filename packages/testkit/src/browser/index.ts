export { ANDROID, inChromium, IPHONE, keepScreenshot, type Chromium, type Phone } from './chromium.js';
export { startForwardProxy, type ForwardProxy } from './forward-proxy.js';
export type { Page } from 'playwright-core';
