import { gatewayBases } from '@wechat-h5/core/adapter';
import type { Command, Context } from './command.js';
import { configurationFindings } from './doctor-configuration.js';
import { credentialsFinding, gatewayOf, hostFindings } from './doctor-gateway.js';
import { EXIT } from './exit-codes.js';
import { fail, failed, type Finding } from './finding.js';
import { painter, printable } from './terminal.js';

export const doctor: Command = {
  synopsis: '[--offline]',
  summary: {
    en: 'check the setup: ids, keys, clock, notify URL, certificate, proxies',
    zh: '检查配置：商户信息、密钥、时钟、通知地址、证书、代理',
  },
  details: {
    en: `Creates no order: it asks for one that cannot exist, and the signed answer that there is none proves the credentials.
Each line is ✓ fine, ! worth a look, or ✗ wrong, with the cure. Ends with 1 if anything is wrong.`,
    zh: `不会创建订单：查询一个不可能存在的单号，通过带签名的「订单不存在」应答证明密钥有效。
每行结果为 ✓ 正常、! 需留意 或 ✗ 有误，并附处理办法；有误时退出码为 1。`,
  },
  options: {
    offline: { type: 'boolean', text: { en: 'ask nobody: look at the configuration only', zh: '不联网，仅检查配置' } },
  },
  examples: ['doctor', 'doctor --env production.env', 'doctor --json --offline'],
  maxPositionals: 0,
  takesNumbers: false,

  async run(args, context) {
    const { env, json } = context;
    const files = [args.text('env'), ...FILE_VARIABLES.map((name) => env[name])];
    const findings = configurationFindings(env, files.filter((file) => file !== undefined && file !== '') as string[]);
    const shown = json ? () => {} : (found: readonly Finding[]) => show(found, context);
    shown(findings);
    if (!args.has('offline')) {
      const configured = !findings.some(({ check, status }) => status === 'fail' && CREDENTIALS.has(check));
      for await (const found of gatewayFindings(env, configured)) {
        findings.push(...found);
        shown(found);
      }
    }
    const ok = !findings.some(({ status }) => status === 'fail');
    if (json) {
      const checks = findings.map(({ check, status, text, cure }) => ({
        check,
        status,
        message: context.say(text),
        ...(cure && { cure: context.say(cure) }),
      }));
      context.printJson({ ok, checks });
    } else summarise(findings, context);
    return ok ? EXIT.OK : EXIT.NO;
  },
};

const FILE_VARIABLES = ['WECHAT_PAY_API_KEY_FILE', 'WECHAT_PAY_PRIVATE_KEY_FILE', 'WECHAT_PAY_P12_FILE'];
const CREDENTIALS: ReadonlySet<string> = new Set(['merchant', 'api-key']);

async function* gatewayFindings(env: NodeJS.ProcessEnv, configured: boolean): AsyncGenerator<readonly Finding[]> {
  let bases: URL[];
  try {
    bases = gatewayBases(gatewayOf(env));
  } catch (error) {
    yield [failed('gateway', error)];
    return;
  }
  const hosts = await Promise.all(bases.map(hostFindings));
  const reached = hosts.filter(([first]) => first?.status === 'ok');
  const [clock] = reached.flatMap((found) => found.filter(({ check }) => check === 'clock'));
  const connections = hosts.flatMap((found) => found.filter(({ check }) => check === 'gateway'));
  // One host that answers is enough to be paid: the others are only what is fallen back on.
  yield connections.map((found) =>
    found.status === 'fail' && reached.length > 0 ? { ...found, status: 'warn' } : found,
  );
  if (clock !== undefined) yield [clock];
  if (reached.length === 0) return;
  yield [configured ? await credentialsFinding(env) : UNCHECKED];
}

const UNCHECKED = fail(
  'credentials',
  { en: 'Not asked: the ids or the key are wrong already', zh: '未查询：商户信息或密钥已有误' },
  { en: 'Correct what is said above.', zh: '请先更正上述问题。' },
);

const MARKS = { ok: ['green', '✓'], warn: ['yellow', '!'], fail: ['red', '✗'] } as const;

function show(findings: readonly Finding[], { stdout, env, say, print }: Context): void {
  const paint = painter(stdout, env);
  for (const { check, status, text, cure } of findings) {
    const [colour, mark] = MARKS[status];
    print(`${paint(colour, mark)} ${check}: ${printable(say(text))}`);
    if (cure !== undefined && say(cure) !== '') print(`    ${printable(say(cure))}`);
  }
}

function summarise(findings: readonly Finding[], { say, print }: Context): void {
  const count = (wanted: Finding['status']): number => findings.filter(({ status }) => status === wanted).length;
  const [wrong, look] = [count('fail'), count('warn')];
  print(
    say({
      en: `\n${wrong} wrong, ${look} worth a look, ${count('ok')} fine`,
      zh: `\n有误 ${wrong} 项，需留意 ${look} 项，正常 ${count('ok')} 项`,
    }),
  );
}
