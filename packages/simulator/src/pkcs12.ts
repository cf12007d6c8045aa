import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Identity } from './certificate-authority.js';
import { integer, nothing, objectId, octetString, sequence, setOf, tagged } from './der.js';

const OID = {
  data: '1.2.840.113549.1.7.1',
  certificateBag: '1.2.840.113549.1.12.10.1.3',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  localKeyId: '1.2.840.113549.1.9.21',
  sha256: '2.16.840.1.101.3.4.2.1',
};
const ITERATIONS = 2048;

/**
 * The PKCS#12 file (RFC 7292) of an identity and the certificates above it. The key is enciphered with AES-256, which
 * Node opens; the certificates are no secret and stand in the clear.
 */
export function pkcs12(identity: Identity, above: readonly Buffer[], passphrase: string): Buffer {
  const localKeyId = createHash('sha1').update(identity.certificate).digest();
  const mark = setOf(sequence(objectId(OID.localKeyId), setOf(octetString(localKeyId))));
  const key = identity.privateKey.export({ type: 'pkcs8', format: 'der', cipher: 'aes-256-cbc', passphrase });
  const certificates = sequence(certificateBag(identity.certificate, mark), ...above.map((one) => certificateBag(one)));
  const keys = sequence(sequence(objectId(OID.shroudedKeyBag), tagged(0, key), mark));
  const safe = sequence(data(certificates), data(keys));
  return sequence(integer(3), data(safe), mac(safe, passphrase));
}

function data(content: Buffer): Buffer {
  return sequence(objectId(OID.data), tagged(0, octetString(content)));
}

function certificateBag(certificate: Buffer, ...attributes: readonly Buffer[]): Buffer {
  const value = sequence(objectId(OID.x509Certificate), tagged(0, octetString(certificate)));
  return sequence(objectId(OID.certificateBag), tagged(0, value), ...attributes);
}

function mac(safe: Buffer, passphrase: string): Buffer {
  const salt = randomBytes(16);
  const digest = createHmac('sha256', macKey(passphrase, salt)).update(safe).digest();
  const algorithm = sequence(objectId(OID.sha256), nothing());
  return sequence(sequence(algorithm, octetString(digest)), octetString(salt), integer(ITERATIONS));
}

/** RFC 7292, appendix B.2, with SHA-256 and the purpose 3: one block is the whole key. */
function macKey(passphrase: string, salt: Buffer): Buffer {
  const bigEndian = Buffer.from(`${passphrase}\0`, 'utf16le').swap16();
  let key = Buffer.concat([Buffer.alloc(64, 3), filled(salt), filled(bigEndian)]);
  for (let round = 0; round < ITERATIONS; round++) key = createHash('sha256').update(key).digest();
  return key;
}

/** Repeated up to the next multiple of the hash's block. */
function filled(bytes: Buffer): Buffer {
  return Buffer.alloc(Math.ceil(bytes.length / 64) * 64, bytes);
}
