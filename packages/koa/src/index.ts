export type { WechatH5Context } from './wechat-h5.js';
export { wechatH5 } from './wechat-h5.js';
export { wechatH5Notify } from './notify.js';
export { wechatH5Doctor, wechatH5IpProbe, wechatH5Pay, wechatH5Return } from './pages.js';
