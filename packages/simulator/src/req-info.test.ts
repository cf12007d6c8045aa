import { createDecipheriv } from 'node:crypto';
import { encryptEcb, sealReqInfo } from './req-info.js';

const DOCUMENTED_KEY = '192006250b4c09247ec02edce69f6a2d';

function decrypt(reqInfo: string, key: string): string {
  const decipher = createDecipheriv('aes-256-ecb', key, null);
  return decipher.update(reqInfo, 'base64', 'utf8') + decipher.final('utf8');
}

// R3 is published by WeChat Pay's own PHP library.
test('R3: AES-256-ECB, padded, base64', () => {
  expect(encryptEcb('hello', '0123456789abcdef0123456789abcdef')).toBe('pZwJZBLuy3mDACEQT4YTBw==');
});

// R4 was computed by hand with WeChat's documented key: no published vector shows how the key is made.
test('R4: the key is the MD5 of the API key, as 32 lower-case hexadecimal characters', () => {
  const text =
    '<root><out_refund_no><![CDATA[R1]]></out_refund_no><refund_status><![CDATA[SUCCESS]]></refund_status></root>';
  expect(sealReqInfo(text, DOCUMENTED_KEY)).toBe(
    'WBzGpzQuNpcFxIlFjUUD9BZv+lpBMzd2SHiKCkwfALWid5G8ZvfOussfMIHLbKJmcnxPKdb1ZJEqTAp8ysQv+xa1fj+Eorgndx3fNxf3KAYa3LPgsjvZgxaeYyrhV05Kbjkj6ywg27cEyTTaPZFYNg==',
  );
});

test('R5: a zero at the beginning of that MD5 stays', () => {
  const reqInfo = sealReqInfo('退款', '00000000000000000000000000000017');
  expect(decrypt(reqInfo, '02c35341e477bcc3ad9cec298c18d9a1')).toBe('退款');
});
