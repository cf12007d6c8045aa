import type { PageReply } from './page.js';
import { BACK, link, payerPage, type PayerSite } from './payer-page.js';

/** Inside WeChat H5 payment is refused: the payer is told before anything is ordered. */
export function insideWechatPage(site: PayerSite): PageReply {
  return payerPage(
    {
      state: 'inside-wechat',
      mark: '↗',
      mood: 'wait',
      heading: ['请在浏览器中打开', 'Please open this shop in your browser'],
      text: [
        [
          '微信内无法完成此付款。请点击右上角「···」，选择「在浏览器打开」，返回商店后重新下单。',
          'This payment cannot be made inside WeChat. Tap ··· at the top right, choose “Open in browser”, go back to the shop and order there.',
        ],
        ['没有下单，也没有扣款。', 'Nothing was ordered, and nothing was charged.'],
      ],
      actions: [link(site.shopUrl, BACK, 'quiet')],
    },
    site,
  );
}

/**
 * Sends the payer on where a redirect could not: this page is what WeChat Pay sees as Referer, and no form of the
 * shop's leads away from it. The button is for browsers that do not go by themselves.
 */
export function launchPage(mwebUrl: string, site: PayerSite): PageReply {
  return payerPage(
    {
      state: 'launch',
      mark: '→',
      mood: 'good',
      heading: ['正在前往微信支付', 'Going to WeChat Pay'],
      text: [['如果没有自动跳转，请点击下面的按钮。', 'If nothing happens, press the button below.']],
      actions: [link(mwebUrl, ['前往微信支付', 'Go to WeChat Pay'])],
      goesTo: mwebUrl,
    },
    site,
  );
}
