import { randomBytes } from 'node:crypto';
import { createAuthority, type Identity } from './certificate-authority.js';
import { pkcs12 } from './pkcs12.js';

/** The merchant's API certificate as `node:tls` takes it. */
export interface PemPair {
  /** `apiclient_cert.pem` */
  readonly cert: string;
  /** `apiclient_key.pem` */
  readonly key: string;
}

/** The same certificate and key as one file, as `node:tls` takes it. */
export interface Pkcs12File {
  /** `apiclient_cert.p12` */
  readonly pfx: Buffer;
  /** WeChat Pay locks the file with the `mch_id`. */
  readonly passphrase: string;
}

export interface Identities {
  /** PEM of the authority that issued the other two. */
  readonly ca: string;
  readonly server: Identity;
  readonly certificate: PemPair;
  /** Made when it is first asked for: locking it costs more than everything else here. */
  readonly p12: () => Pkcs12File;
}

/**
 * WeChat Pay's own hosts are among the server's names: a client whose resolver sends them here finds them as they
 * are. Nobody trusts the authority unless told to, and its key lives in this process alone.
 */
const OFFICIAL_HOSTS = ['api', 'api2', 'apihk', 'apius'].map((name) => `${name}.mch.weixin.qq.com`);
const ALIASES = ['api.wechatpay.cn', 'api2.wechatpay.cn'];

/** Everything that TLS needs on both sides, made anew for each simulator. `host` is what it listens on. */
export function createIdentities(host: string, mchId: string): Identities {
  // Two of one name in one list of trusted authorities would stand in each other's way.
  const authority = createAuthority(`Simulated WeChat Pay ${randomBytes(4).toString('hex')}`);
  const hosts = new Set(['localhost', '*.localhost', '127.0.0.1', '::1', host, ...OFFICIAL_HOSTS, ...ALIASES]);
  const server = authority.issue({ commonName: 'localhost', hosts: [...hosts] });
  const client = authority.issue({ commonName: mchId });
  let p12: Pkcs12File | undefined;
  return {
    ca: authority.cert,
    server,
    certificate: Object.freeze({ cert: client.cert, key: client.key }),
    p12: () => (p12 ??= Object.freeze({ pfx: pkcs12(client, [authority.certificate], mchId), passphrase: mchId })),
  };
}
