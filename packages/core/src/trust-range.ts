import { didYouMean } from './did-you-mean.js';
import { quoted, WechatH5Error, type WechatH5ErrorCode } from './errors.js';
import {
  ipFromGroups,
  ipv4FromBits,
  isUnspecified,
  parseIpAddress,
  parseIpAndPort,
  type IpAddress,
} from './ip-address.js';

export interface TrustRange {
  /** The first address of the range. */
  readonly network: IpAddress;
  /** How many leading bits are fixed: 1 to 32 or 128. */
  readonly prefix: number;
}

const PRESETS: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
  cgnat: ['100.64.0.0/10'],
  // A peer on a UNIX socket has no address: the preset is no range, the list of proxies looks for its name.
  unix: [],
};
const PRESET_NAMES = Object.keys(PRESETS);
/** What people write for a preset. */
const NICKNAMES: Readonly<Record<string, string>> = {
  localhost: 'loopback',
  private: 'uniquelocal',
  internal: 'uniquelocal',
};

const MAX_ENTRY = 64;
const PREFIX_LENGTH = /^(0|[1-9]\d{0,2})$/;

/** Nobody runs a wider network than this; a shorter prefix holds a good part of the Internet. */
const WIDEST_PREFIX = { 4: 8, 6: 7 } as const;

/**
 * The ranges of one entry of `clientIp.trust`: an address, a CIDR range or a preset.
 * @param option the entry's name for messages, `clientIp.trust[0]`
 * @throws WechatH5Error TRUST_INVALID: not an address, octal or hexadecimal numbers, host bits, prefix length;
 * TRUST_ALL: so wide that visitors are in it
 */
export function parseTrustEntry(entry: unknown, option: string): readonly TrustRange[] {
  if (typeof entry !== 'string') {
    throw refused('TRUST_INVALID', option, `is ${entry === null ? 'null' : typeof entry}, not a string`, {
      en: "Write an IP address, a CIDR range or a preset, for example '127.0.0.1'.",
      zh: "请填写 IP 地址、CIDR 网段或预设名，例如 '127.0.0.1'。",
    });
  }
  const ranges = Object.hasOwn(PRESETS, entry) ? PRESETS[entry]! : [entry];
  return ranges.map((range) => parseRange(range, option));
}

function parseRange(entry: string, option: string): TrustRange {
  const slash = entry.indexOf('/');
  const text = slash < 0 ? entry : entry.slice(0, slash);
  // A zone would be dropped, and the entry then mean more than it says.
  const address = entry.length <= MAX_ENTRY && !text.includes('%') ? parseIpAddress(text) : undefined;
  if (!address) throw notAnAddress(entry, text, option);

  // The prefix of an IPv4-mapped range counts the 96 bits in front: ::ffff:10.0.0.0/104 is 10.0.0.0/8. Taken as it
  // stands, the /8 of ::ffff:10.0.0.0/8 would cover all of IPv4 (CVE-2026-90711).
  const mappedBits = address.family === 4 && text.includes(':') ? 96 : 0;
  const bits = address.family === 4 ? 32 : 128;
  const digits = slash < 0 ? String(bits + mappedBits) : entry.slice(slash + 1);
  if (!PREFIX_LENGTH.test(digits) || Number(digits) > bits + mappedBits) {
    throw wrongPrefix(entry, address, digits, bits + mappedBits, option);
  }
  const prefix = Number(digits) - mappedBits;

  if (prefix === -mappedBits || (prefix >= 0 && prefix < WIDEST_PREFIX[address.family])) {
    throw refused(
      'TRUST_ALL',
      option,
      `${quoted(entry)} is so wide that visitors are in it: anyone could choose the payer's address`,
      {
        en: "List your own proxies only, for example '10.0.0.2'; for a CDN the ranges that its vendor publishes.",
        zh: "只列出您自己的代理，例如 '10.0.0.2'；CDN 请填写厂商公布的回源网段。",
      },
    );
  }
  if (prefix < 0) {
    const meant = Number(digits) <= 32 ? `${networkOf(address, Number(digits)).text}/${digits}` : undefined;
    throw refused('TRUST_INVALID', option, `${quoted(entry)} is an IPv4-mapped range with a prefix shorter than /96`, {
      en: meant ? `Did you mean '${meant}'?` : "Write it as an IPv4 range, for example '10.0.0.0/8'.",
      zh: meant ? `是否应为 '${meant}'？` : "请改写为 IPv4 网段，例如 '10.0.0.0/8'。",
    });
  }
  const network = networkOf(address, prefix);
  if (network.text !== address.text) {
    throw refused('TRUST_INVALID', option, `${quoted(entry)} has host bits set`, {
      en: `Did you mean '${network.text}/${prefix}', the whole range, or '${address.text}', this one proxy?`,
      zh: `信任整个网段请写 '${network.text}/${prefix}'，只信任这一台代理请写 '${address.text}'。`,
    });
  }
  if (isUnspecified(address)) {
    throw refused('TRUST_INVALID', option, `${quoted(entry)} is the unspecified address, never a proxy's`, {
      en: "Write your proxy's own address, for example '127.0.0.1'.",
      zh: "请填写代理自身的地址，例如 '127.0.0.1'。",
    });
  }
  return { network, prefix };
}

/** The first address that shares its `prefix` leading bits with `address`. */
function networkOf(address: IpAddress, prefix: number): IpAddress {
  if (address.family === 4) return ipv4FromBits((address.bits & leadingOnes(prefix)) >>> 0);
  return ipFromGroups(address.groups.map((group, i) => group & (leadingOnes(prefix - 16 * i) >>> 16)));
}

/** 32 bits of which the first `count` are ones; any `count`. */
function leadingOnes(count: number): number {
  return count <= 0 ? 0 : -1 << Math.max(0, 32 - count);
}

function notAnAddress(entry: string, text: string, option: string): WechatH5Error {
  const meant = guess(entry, text);
  return refused('TRUST_INVALID', option, `${quoted(entry)} is not an IP address, a CIDR range or a preset`, {
    en:
      `${meant ? `Did you mean ${meant}? ` : ''}Host names are not looked up; numbers are decimal without leading zeros. ` +
      `Presets: ${PRESET_NAMES.join(', ')}.`,
    zh: `${meant ? `是否应为 ${meant}？` : ''}不解析域名；数字须为十进制且无前导零。预设名：${PRESET_NAMES.join('、')}。`,
  });
}

function guess(entry: string, text: string): string | undefined {
  const parts = entry
    .slice(0, 4 * MAX_ENTRY)
    .split(/[\s,;]+/)
    .filter((part) => part !== '');
  if (parts.length > 1 || (parts.length === 1 && parts[0] !== entry))
    return parts.map((part) => `'${part}'`).join(', ');
  const bare = parseIpAndPort(text) ?? parseIpAddress(text.replace(/%.*/s, ''));
  if (bare) return `'${bare.text}'`;
  const preset = didYouMean(entry, [...PRESET_NAMES, ...Object.keys(NICKNAMES)]);
  return preset && `'${NICKNAMES[preset] ?? preset}'`;
}

function wrongPrefix(entry: string, address: IpAddress, digits: string, max: number, option: string): WechatH5Error {
  const mask = parseIpAddress(digits);
  const length = mask?.family === 4 ? Math.clz32(~mask.bits) : 0;
  const isMask = mask?.family === 4 && max === 32 && mask.bits === leadingOnes(length) >>> 0;
  const meant = isMask ? `'${networkOf(address, length).text}/${length}'` : undefined;
  return refused('TRUST_INVALID', option, `${quoted(entry)} has no valid prefix length`, {
    en: `${meant ? `Did you mean ${meant}? ` : ''}After the slash comes a decimal number up to ${max}, without leading zeros.`,
    zh: `${meant ? `是否应为 ${meant}？` : ''}斜杠后须为不大于 ${max} 的十进制数，不带前导零。`,
  });
}

function refused(
  code: WechatH5ErrorCode,
  option: string,
  seen: string,
  hint: { en: string; zh: string },
): WechatH5Error {
  return new WechatH5Error(code, `${option} ${seen}`, { field: option, hint: `${hint.en} ${hint.zh}` });
}
