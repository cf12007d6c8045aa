export type { WechatH5Context } from './wechat-h5.js';
export { wechatH5 } from './wechat-h5.js';
export { wechatH5Notify } from './notify.js';
export { wechatH5Doctor, wechatH5IpProbe } from './pages.js';
