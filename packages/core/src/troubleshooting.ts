/** One text that a payer can see at WeChat Pay instead of the cashier: why, and what to do. */
export interface Troubleshooting {
  /** Stable, for code: `address-mismatch`. */
  id: string;
  /** WeChat Pay's own words. */
  message: string;
  /** Where the payer sees these words, when it is not everywhere. */
  platform?: 'iOS' | 'Android';
  causes: readonly Explained[];
  cures: readonly Explained[];
  /** What this library does so that payers do not see it, or so that the merchant hears of it. */
  guard: Explained;
  /**
   * Whether the order has to be placed again (`createOrder`). `false`: the same link works once the cause is
   * gone, within its five minutes.
   */
  orderAgain: boolean;
}

export interface Explained {
  en: string;
  zh: string;
}

const ONE_LINK_ONE_ACCOUNT: Pick<Troubleshooting, 'causes' | 'cures' | 'guard' | 'orderAgain'> = {
  causes: [
    {
      en: 'The link was opened by two WeChat accounts: it was shared, or the payer switched accounts.',
      zh: '同一个支付链接被两个微信号打开：链接被转发，或用户切换了微信号。',
    },
    {
      en: 'redirect_url was appended without being percent-encoded, or twice, or the link was cut off.',
      zh: 'redirect_url 未做 URL 编码、重复编码，或链接被截断。',
    },
  ],
  cures: [
    {
      en: 'Place the order again for this payer and send nobody else the link.',
      zh: '为该用户重新下单，不要把链接发给其他人。',
    },
    {
      en: 'Let createOrder({ redirectUrl }) or withRedirectUrl append it: the rest of the link stays as it came.',
      zh: '请用 createOrder({ redirectUrl }) 或 withRedirectUrl 拼接，链接其余部分不要改动。',
    },
  ],
  guard: {
    en: 'redirect_url is encoded once, the rest of the link is not touched, and each payer gets a link of their own.',
    zh: 'redirect_url 只编码一次，链接其余部分不改动，每个用户使用自己的链接。',
  },
  orderAgain: true,
};

/**
 * Every row of the official table of errors, and those that payers have reported since.
 * @see https://pay.weixin.qq.com/doc/global/v2/zh/4013636515
 */
export const TROUBLESHOOTING: readonly Troubleshooting[] = [
  {
    id: 'address-mismatch',
    message: '网络环境未能通过安全验证，请稍后再试',
    causes: [
      {
        en: 'spbill_create_ip is not the address WeChat Pay sees: most often it is the address of a proxy, CDN or load balancer in front of the shop.',
        zh: '下单时的 spbill_create_ip 与微信侧检测到的用户 IP 不一致：通常是传了反向代理、CDN 或负载均衡的地址。',
      },
      {
        en: 'The payer changed networks between the order and the cashier (Wi-Fi → mobile), or a VPN or private relay stands in between.',
        zh: '下单后用户切换了网络（如 WiFi 切换到移动网络），或使用了 VPN、专用代理。',
      },
      {
        en: 'The payer reached the shop over IPv6 and WeChat Pay over IPv4.',
        zh: '用户以 IPv6 访问商户，却以 IPv4 访问微信支付。',
      },
    ],
    cures: [
      {
        en: 'Open the doctor page on the phone: it says which address would be sent and which line to change (clientIp.trust).',
        zh: '用手机打开 doctor 页面：它会显示将要发送的地址以及应修改的一行配置（clientIp.trust）。',
      },
      { en: 'Stay on one network and place the order again.', zh: '保持网络不变，重新下单。' },
      {
        en: 'Serve the order endpoint on a host name without an AAAA record, or use ipProbe.',
        zh: '下单接口使用没有 AAAA 记录的域名，或启用 ipProbe。',
      },
    ],
    guard: {
      en: 'The address is walked from the socket through trusted proxies alone (PROXY_NOT_TRUSTED, doctor); an order of another address is refused (PAYER_ADDRESS_CHANGED) or, with orderRef, placed anew.',
      zh: '用户 IP 只从连接经受信任的代理逐跳得出（PROXY_NOT_TRUSTED、doctor）；换了地址的订单会被拒绝（PAYER_ADDRESS_CHANGED），或配合 orderRef 重新下单。',
    },
    orderAgain: true,
  },
  {
    id: 'address-not-public',
    message: '由于商家传入的H5交易参数有误，该笔交易暂时无法完成，请联系商家解决',
    causes: [
      {
        en: 'spbill_create_ip is 127.0.0.1, a private address or another that no payer can have.',
        zh: 'spbill_create_ip 是 127.0.0.1、内网地址等不可能属于用户的地址。',
      },
    ],
    cures: [
      {
        en: 'Leave clientIp out of createOrder, and list the proxies in front of the shop in clientIp.trust.',
        zh: '不要自行传入 clientIp，并在 clientIp.trust 中列出商户前面的代理。',
      },
    ],
    guard: {
      en: 'Such an address is refused before the order: NOT_PUBLIC.',
      zh: '此类地址在下单前即被拒绝：NOT_PUBLIC。',
    },
    orderAgain: true,
  },
  {
    id: 'referer-empty',
    message: '商家参数格式有误，请联系商家解决',
    causes: [
      {
        en: "The link was opened without a Referer: typed in, opened from another app, or from a page with Referrer-Policy: no-referrer (helmet's default).",
        zh: '打开支付链接时 Referer 为空：直接访问链接、从其他应用打开，或页面的 Referrer-Policy 为 no-referrer(helmet 的默认值)。',
      },
      { en: "An app's web view sends no Referer by itself.", zh: 'App 的 WebView 不会自动带上 Referer。' },
    ],
    cures: [
      {
        en: 'Send the payer from a page of the shop, with Referrer-Policy: strict-origin-when-cross-origin (helmet: referrerPolicy).',
        zh: '从商户页面跳转，并设置 Referrer-Policy: strict-origin-when-cross-origin(helmet 请配置 referrerPolicy)。',
      },
      {
        en: 'In a web view, set the Referer header to the registered domain, with its scheme.',
        zh: '在 WebView 中手动设置 Referer 为申请 H5 支付时提交的授权域名（含协议）。',
      },
    ],
    guard: {
      en: 'wechatH5Pay sends a Referrer-Policy of its own; a page that hides its Referer is noticed (REFERRER_POLICY), and a page of ours goes between.',
      zh: 'wechatH5Pay 使用自己的 Referrer-Policy；页面隐藏 Referer 时会上报（REFERRER_POLICY）并改用中转页。',
    },
    orderAgain: false,
  },
  {
    id: 'domain-not-registered',
    message: '商家存在未配置的参数，请联系商家解决',
    causes: [
      {
        en: 'The Referer is not on a domain registered for H5 payment.',
        zh: '当前页面的域名（由 Referer 得出）不是申请 H5 支付时提交的授权域名。',
      },
      { en: 'redirect_url is not on a registered domain.', zh: '回跳地址 redirect_url 的域名不是授权域名。' },
    ],
    cures: [
      {
        en: 'Register the domain: merchant platform → Product centre → Development settings. List it in h5Domains, so that a wrong redirectUrl is refused before the order.',
        zh: '在商户平台 → 产品中心 → 开发配置 中添加域名，并写入 h5Domains，使错误的 redirectUrl 在下单前就被拒绝。',
      },
    ],
    guard: {
      en: "The payer's page and the way back are compared with h5Domains before the order: ORIGIN_NOT_REGISTERED, REDIRECT_URL_INVALID.",
      zh: '下单前即核对用户页面与回跳地址是否在 h5Domains 内：ORIGIN_NOT_REGISTERED、REDIRECT_URL_INVALID。',
    },
    orderAgain: false,
  },
  {
    id: 'link-expired',
    message: '支付请求已失效，请重新发起支付',
    causes: [{ en: 'The link is older than five minutes.', zh: '支付链接已超过 5 分钟有效期。' }],
    cures: [
      {
        en: 'Call createOrder again with the same order when the payer presses the button: it brings a new link.',
        zh: '用户再次点击支付时，用相同的订单重新调用 createOrder 即可得到新链接。',
      },
    ],
    guard: {
      en: 'A link with less than a minute left is not given out again: createOrder brings a new one for the same order.',
      zh: '剩余不足一分钟的链接不会再次给出：createOrder 会为同一订单取得新链接。',
    },
    orderAgain: true,
  },
  {
    id: 'inside-wechat',
    message: '请在微信外打开订单，进行支付',
    causes: [{ en: 'The page was opened inside WeChat.', zh: '在微信内打开了支付页面。' }],
    cures: [
      {
        en: 'Ask the payer to open the page in a browser (isWechatBrowser), or use JSAPI payment inside WeChat.',
        zh: '提示用户在浏览器中打开（可用 isWechatBrowser 判断），微信内请使用 JSAPI 支付。',
      },
    ],
    guard: {
      en: 'wechatH5Pay orders nothing inside WeChat, and asks the payer to open the shop in a browser.',
      zh: '在微信内 wechatH5Pay 不下单，而是提示用户用浏览器打开。',
    },
    orderAgain: false,
  },
  { id: 'link-damaged-ios', message: '签名验证失败', platform: 'iOS', ...ONE_LINK_ONE_ACCOUNT },
  { id: 'link-damaged-android', message: '系统繁忙，请稍后再试', platform: 'Android', ...ONE_LINK_ONE_ACCOUNT },
];

const KEYS = TROUBLESHOOTING.map((row) => [comparable(row.message.split('，')[0] as string), row] as const);

/**
 * Explains what a payer saw: paste the text, or a whole sentence around it. The width of punctuation, blanks
 * and letter case do not matter, nor does the second half of WeChat Pay's sentence.
 * @returns every row whose words occur, in the order of the table; none for a text that is not WeChat Pay's
 */
export function explainPayerError(text: string): Troubleshooting[] {
  const seen = comparable(String(text));
  return KEYS.filter(([key]) => seen.includes(key)).map(([, row]) => row);
}

/** Letters and digits alone: full-width forms folded, punctuation and blanks gone. */
function comparable(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}
