import { createPrivateKey, X509Certificate } from 'node:crypto';
import { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket } from 'node:tls';
import { WechatH5Error, type WechatH5ErrorCode } from './errors.js';
import type { CertificateOptions } from './gateway-request.js';

/**
 * The merchant API certificate (商户API证书), which refunds and fund flows are asked for with: contents, never paths.
 * Either `apiclient_cert.pem` and `apiclient_key.pem`, or `apiclient_cert.p12` with its passphrase, which is the
 * `mch_id` unless it was changed.
 */
export type Certificate = { cert: string | Buffer; key: string | Buffer } | { pfx: Buffer; passphrase?: string };

/** Turns a p12 that OpenSSL 3 refuses into a PEM file that holds certificate and key. It asks for the passphrase. */
export const P12_CONVERSION = 'openssl pkcs12 -legacy -in apiclient_cert.p12 -clcerts -noenc -out apiclient.pem';

/**
 * Opens a certificate, to find now what would otherwise be found at the first refund.
 *
 * @param option the option's name, for messages: `merchant.certificate`
 * @param mchId the passphrase of a p12 that came with none
 * @throws {WechatH5Error} `CERTIFICATE_INVALID`, `CERTIFICATE_PASSPHRASE`, `CERTIFICATE_LEGACY`, `CERTIFICATE_EXPIRED`
 * @see https://pay.weixin.qq.com/doc/v2/merchant/4011985891
 */
export function checkedCertificate(given: Certificate, option: string, mchId: string): CertificateOptions {
  if (typeof given !== 'object' || given === null) throw invalid(option, 'is not an object', SHAPE);
  const known = 'pfx' in given ? ['pfx', 'passphrase'] : ['cert', 'key'];
  const stranger = Object.keys(given).find((name) => !known.includes(name));
  if (stranger !== undefined)
    throw invalid(option, `has ${known.join(' and ')}, and something else beside them`, SHAPE);
  const { options, certificate } =
    'pfx' in given ? openP12(given.pfx, given.passphrase ?? mchId, option) : openPem(given.cert, given.key, option);
  const now = Date.now();
  const until = Date.parse(certificate.validTo);
  const from = Date.parse(certificate.validFrom);
  if (until < now || from > now) {
    throw refused(
      'CERTIFICATE_EXPIRED',
      option,
      until < now
        ? `expired at ${new Date(until).toISOString()}`
        : `is not valid before ${new Date(from).toISOString()}`,
      'Renew it: merchant platform → Account centre → API security, or correct the clock of this machine. ' +
        '请在商户平台 → 账户中心 → API安全 更换商户API证书，并检查本机时间。',
    );
  }
  return options;
}

interface Opened {
  options: CertificateOptions;
  certificate: X509Certificate;
}

function openPem(cert: unknown, key: unknown, option: string): Opened {
  const certText = pem(cert, `${option}.cert`);
  const keyText = pem(key, `${option}.key`);
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(certText);
  } catch {
    throw invalid(`${option}.cert`, 'is not a certificate in PEM', 'Pass the contents of apiclient_cert.pem.');
  }
  let matches: boolean;
  try {
    matches = certificate.checkPrivateKey(createPrivateKey(keyText));
  } catch {
    throw keyText.includes('ENCRYPTED')
      ? invalid(`${option}.key`, 'is encrypted', 'Decrypt it: openssl pkey -in apiclient_key.pem -out plain_key.pem')
      : invalid(`${option}.key`, 'is not a private key in PEM', 'Pass the contents of apiclient_key.pem.');
  }
  if (!matches) {
    throw invalid(
      `${option}.key`,
      'does not belong to the certificate',
      'Use the two files of the same download. 证书与私钥不匹配，请使用同一次下载的两个文件。',
    );
  }
  return { options: { cert: certText, key: keyText }, certificate };
}

function openP12(pfx: unknown, passphrase: unknown, option: string): Opened {
  if (!Buffer.isBuffer(pfx)) {
    throw invalid(
      `${option}.pfx`,
      typeof pfx === 'string' ? 'is text' : 'is not a Buffer',
      "Pass the bytes of the file: readFileSync('apiclient_cert.p12'), without an encoding.",
    );
  }
  if (typeof passphrase !== 'string') throw invalid(`${option}.passphrase`, 'is not a string', SHAPE);
  const options = { pfx, passphrase };
  try {
    // A socket that is connected to nothing: the one public way to read the certificate of a p12.
    const socket = new TLSSocket(new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() }), {
      isServer: true,
      secureContext: createSecureContext(options),
    });
    const certificate = socket.getX509Certificate();
    socket.destroy();
    if (certificate !== undefined) return { options, certificate };
  } catch (error) {
    const { message = '', code } = error as NodeJS.ErrnoException;
    // The passphrase is proved before anything is decrypted, so these two cannot be taken for one another.
    if (message.includes('mac verify failure')) {
      throw refused(
        'CERTIFICATE_PASSPHRASE',
        `${option}.passphrase`,
        'does not open the p12',
        'It is the mch_id the certificate was issued for, unless it was changed. p12 证书的密码默认为商户号（mch_id）。',
      );
    }
    if (code === 'ERR_CRYPTO_UNSUPPORTED_OPERATION') {
      throw refused(
        'CERTIFICATE_LEGACY',
        `${option}.pfx`,
        'is encrypted with RC2, which OpenSSL 3 and so this Node cannot read',
        `Pass apiclient_cert.pem and apiclient_key.pem of the same download as { cert, key }, or convert it: ${P12_CONVERSION} ` +
          'and pass the contents of apiclient.pem as both cert and key. 该 p12 使用旧的 RC2 加密：请改用同一次下载的两个 pem 文件，或用上面的命令转换。',
      );
    }
  }
  throw invalid(
    `${option}.pfx`,
    'is not a p12 with a certificate and its key',
    "Pass the bytes of apiclient_cert.p12: readFileSync('apiclient_cert.p12').",
  );
}

/** What is in a PEM file, as text. The contents are never quoted: one of the two is a secret. */
function pem(value: unknown, option: string): string {
  const text = Buffer.isBuffer(value) ? value.toString('latin1') : value;
  if (typeof text !== 'string') throw invalid(option, 'is missing', SHAPE);
  // Editors put a byte order mark in front, and OpenSSL then finds no beginning.
  if (text.includes('-----BEGIN ')) return text.replace(/^(?:\uFEFF|\xEF\xBB\xBF)/, '');
  throw invalid(
    option,
    text.length < 1024 && !text.includes('\n') && /[/\\]|\.pem$/.test(text) ? 'is a path' : 'is not PEM',
    "Pass the contents of the file: readFileSync('apiclient_cert.pem'). 请传入文件内容，而不是路径。",
  );
}

const SHAPE =
  'Give { cert, key } with the contents of apiclient_cert.pem and apiclient_key.pem, or { pfx, passphrase } with those of apiclient_cert.p12. ' +
  '请传入 apiclient_cert.pem 与 apiclient_key.pem 的内容，或 apiclient_cert.p12 的内容及密码。';

function invalid(field: string, problem: string, hint: string): WechatH5Error {
  return refused('CERTIFICATE_INVALID', field, problem, hint);
}

// What was caught is never the cause: OpenSSL's errors may hold the options, and those the passphrase.
function refused(code: WechatH5ErrorCode, field: string, problem: string, hint: string): WechatH5Error {
  return new WechatH5Error(code, `${field} ${problem}`, { field, hint });
}
