import { X509Certificate } from 'node:crypto';
import { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Certificate } from '@wechat-h5/core';
import { ok, warn, type Finding } from './finding.js';
import { beijing } from './output.js';

const DAY_MS = 24 * 3_600_000;
/** Enough to apply for the next one and to put it everywhere. */
const RENEW_DAYS = 30;

/** What is left to say of a certificate that core has opened: whose it is, and for how long. */
export function certificateFinding(certificate: Certificate | undefined, mchId: string): Finding {
  const check = 'certificate';
  if (certificate === undefined) {
    return warn(
      check,
      { en: 'There is none: refund and bill --fund-flow are not possible', zh: '未配置：无法退款，也无法下载资金账单' },
      {
        en: 'Set WECHAT_PAY_CERTIFICATE_FILE and WECHAT_PAY_PRIVATE_KEY_FILE (apiclient_cert.pem, apiclient_key.pem) if refunds are made here.',
        zh: '如需退款，请设置 WECHAT_PAY_CERTIFICATE_FILE 与 WECHAT_PAY_PRIVATE_KEY_FILE（apiclient_cert.pem、apiclient_key.pem）。',
      },
    );
  }
  const opened = opening(certificate, mchId);
  const until = new Date(opened.validTo);
  const days = Math.floor((until.getTime() - Date.now()) / DAY_MS);
  if (days < RENEW_DAYS) {
    return warn(
      check,
      { en: `It expires in ${days} days, at ${beijing(until)}`, zh: `证书将在 ${days} 天后过期（${beijing(until)}）` },
      {
        en: 'Renew it: merchant platform, Account centre, API security.',
        zh: '请更换：商户平台 → 账户中心 → API安全。',
      },
    );
  }
  // The common name of a merchant API certificate is the mch_id.
  const holder = /^CN=(.*)$/m.exec(opened.subject)?.[1] ?? '';
  if (/^[0-9]{8,10}$/.test(holder) && holder !== mchId) {
    return warn(
      check,
      { en: `It was issued to mch_id ${holder}, not to ${mchId}`, zh: `证书属于商户号 ${holder}，而不是 ${mchId}` },
      { en: 'Use the certificate of this merchant.', zh: '请使用本商户号的证书。' },
    );
  }
  return ok(
    check,
    `it opens, fits its key, and is valid until ${beijing(until)}`,
    `可读取、与私钥匹配，有效期至 ${beijing(until)}`,
  );
}

function opening(certificate: Certificate, mchId: string): X509Certificate {
  if ('cert' in certificate) return new X509Certificate(certificate.cert);
  const { pfx, passphrase = mchId } = certificate;
  // A socket that is connected to nothing: the one public way to read the certificate of a p12.
  const socket = new TLSSocket(new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() }), {
    isServer: true,
    secureContext: createSecureContext({ pfx, passphrase }),
  });
  const found = socket.getX509Certificate();
  socket.destroy();
  if (found === undefined) throw new Error('core opened this p12');
  return found;
}
