import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import {
  bitString,
  implicit,
  integer,
  objectId,
  octetString,
  pem,
  sequence,
  setOf,
  tagged,
  time,
  utf8String,
  yes,
} from './der.js';

/** A certificate with its private key. */
export interface Identity {
  readonly certificate: Buffer;
  /** PEM. */
  readonly cert: string;
  readonly privateKey: KeyObject;
  /** PKCS#8 PEM. */
  readonly key: string;
}

/** Whom a certificate is for: a server under these names, or the client that has this common name. */
export interface Subject {
  readonly commonName: string;
  /** Host names and addresses of a server; without any it is a client's certificate. */
  readonly hosts?: readonly string[];
}

export interface CertificateAuthority extends Identity {
  issue(subject: Subject): Identity;
}

const DAY = 86_400_000;
const ECDSA_WITH_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'));
const OID = {
  commonName: '2.5.4.3',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
};

/**
 * A certificate authority of its own for each simulator, with keys on P-256, which take a millisecond to make.
 * (RFC 5280.) Valid from yesterday on, by the machine's clock: that is the one that TLS goes by.
 */
export function createAuthority(commonName: string): CertificateAuthority {
  const keys = newKeys();
  const root = certify({ subject: { commonName }, keys, issuer: { commonName, keys }, extensions: rootExtensions() });
  return {
    ...root,
    issue(subject) {
      const own = newKeys();
      const extensions = leafExtensions(subject);
      return certify({ subject, keys: own, issuer: { commonName, keys }, extensions });
    },
  };
}

interface Keys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

interface Request {
  readonly subject: Subject;
  readonly keys: Keys;
  readonly issuer: { readonly commonName: string; readonly keys: Keys };
  readonly extensions: readonly Buffer[];
}

function newKeys(): Keys {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function certify({ subject, keys, issuer, extensions }: Request): Identity {
  const now = Date.now();
  const identifiers = [
    extension(OID.subjectKeyIdentifier, octetString(keyIdentifier(keys))),
    extension(OID.authorityKeyIdentifier, sequence(implicit(0, keyIdentifier(issuer.keys)))),
  ];
  const content = sequence(
    tagged(0, integer(2)),
    integer(serialNumber()),
    ECDSA_WITH_SHA256,
    name(issuer.commonName),
    sequence(time(new Date(now - DAY)), time(new Date(now + 365 * DAY))),
    name(subject.commonName),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(3, sequence(...extensions, ...identifiers)),
  );
  const signature = sign('sha256', content, issuer.keys.privateKey);
  const certificate = sequence(content, ECDSA_WITH_SHA256, bitString(signature));
  return {
    certificate,
    cert: pem('CERTIFICATE', certificate),
    privateKey: keys.privateKey,
    key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function rootExtensions(): readonly Buffer[] {
  return [
    extension(OID.basicConstraints, sequence(yes()), 'critical'),
    // keyCertSign and cRLSign.
    extension(OID.keyUsage, bitString(Buffer.from([0b0000_0110]), 1), 'critical'),
  ];
}

function leafExtensions({ hosts = [] }: Subject): readonly Buffer[] {
  const purpose = hosts.length > 0 ? OID.serverAuth : OID.clientAuth;
  return [
    extension(OID.basicConstraints, sequence(), 'critical'),
    // digitalSignature
    extension(OID.keyUsage, bitString(Buffer.from([0b1000_0000]), 7), 'critical'),
    extension(OID.extendedKeyUsage, sequence(objectId(purpose))),
    ...(hosts.length > 0 ? [extension(OID.subjectAltName, sequence(...hosts.map(alternativeName)))] : []),
  ];
}

function extension(id: string, value: Buffer, critical?: 'critical'): Buffer {
  return sequence(objectId(id), ...(critical ? [yes()] : []), octetString(value));
}

function name(commonName: string): Buffer {
  return sequence(setOf(sequence(objectId(OID.commonName), utf8String(commonName))));
}

function alternativeName(host: string): Buffer {
  if (isIP(host) === 4) return implicit(7, Buffer.from(host.split('.').map(Number)));
  // The only IPv6 address that a simulator listens on.
  if (host === '::1') return implicit(7, Buffer.from([...Array<number>(15).fill(0), 1]));
  return implicit(2, Buffer.from(host, 'ascii'));
}

function keyIdentifier({ publicKey }: Keys): Buffer {
  return createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
}

/** Sixteen random bytes, of which the first is neither negative nor zero. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}
