import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { readPage, type PageContents } from './page-reading.js';
import { Recording } from './recording.js';
import { refererFor } from './referrer.js';

/** One answer as it reached the phone. */
export interface PhoneResponse {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  /** Where a redirect leads. */
  readonly location?: string;
  readonly page: PageContents;
}

/** The page that the phone shows. */
export interface ShownPage extends PageContents {
  readonly url: URL;
  readonly status: number;
  readonly referrerPolicy: string;
}

interface Visit {
  readonly method: string;
  readonly url: URL;
  readonly body?: string;
  /** The page that leads there. */
  readonly from?: Pick<ShownPage, 'url' | 'referrerPolicy'>;
}

const USER_AGENT =
  'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36';
const DEFAULT_POLICY = 'strict-origin-when-cross-origin';
const MOST_REDIRECTS = 5;
const TIMEOUT_MILLISECONDS = 10_000;

/**
 * A phone's browser without a screen: follows links and redirects, submits the forms it finds, sends Referer, Origin
 * and cookies as browsers do. Plain http only: it never leaves this machine.
 */
export class PhoneBrowser {
  readonly received = new Recording<PhoneResponse>();
  readonly #address: string;
  /** By host name: as in every browser, ports share them. */
  readonly #cookies = new Map<string, Map<string, string>>();

  /** @param address one of this machine's, from which the phone connects */
  constructor(address: string) {
    this.#address = address;
  }

  /** As if typed: without a Referer. */
  open(url: string): Promise<ShownPage> {
    return this.#visit({ method: 'GET', url: new URL(url) });
  }

  /** @throws {Error} when the page has no form with such a button */
  press(page: ShownPage, button: RegExp): Promise<ShownPage> {
    const form = page.forms.find((candidate) => button.test(candidate.button));
    if (!form) throw new Error(`no button ${button} on "${page.title}" (${page.url.pathname})`);
    const url = new URL(form.action, page.url);
    const sent = new URLSearchParams(form.fields).toString();
    if (form.method === 'POST') return this.#visit({ method: 'POST', url, body: sent, from: page });
    url.search = sent;
    return this.#visit({ method: 'GET', url, from: page });
  }

  /** @throws {Error} when the page has no such link */
  follow(page: ShownPage, text: RegExp): Promise<ShownPage> {
    const link = page.links.find((candidate) => text.test(candidate.text));
    if (!link) throw new Error(`no link ${text} on "${page.title}" (${page.url.pathname})`);
    return this.#visit({ method: 'GET', url: new URL(link.href, page.url), from: page });
  }

  async #visit(start: Visit): Promise<ShownPage> {
    let visit = start;
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const { status, headers, body } = await this.#exchange(visit);
      const page = readPage(body);
      const { location } = headers;
      const { method, url } = visit;
      const policy = headers['referrer-policy'];
      const referrerPolicy = typeof policy === 'string' ? policy : undefined;
      this.received.add({ method, url: url.href, status, page, ...(location !== undefined && { location }) });
      if (location === undefined || status < 300 || status > 399) {
        return { ...page, url, status, referrerPolicy: referrerPolicy ?? DEFAULT_POLICY };
      }
      if (status !== 303) throw new Error(`${url.pathname} redirects with ${status}; this browser knows 303`);
      // The page that began stays the referrer, under the policy of the redirect if that has one.
      const from = visit.from && { ...visit.from, ...(referrerPolicy !== undefined && { referrerPolicy }) };
      visit = { method: 'GET', url: new URL(location, url), ...(from && { from }) };
    }
    throw new Error(`more than ${MOST_REDIRECTS} redirects from ${start.url.pathname}`);
  }

  async #exchange(visit: Visit): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
    const { method, url, body } = visit;
    const answer = await new Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>(
      (resolve, reject) => {
        const request = httpRequest(
          url,
          {
            method,
            headers: this.#headers(visit),
            localAddress: this.#address,
            agent: false,
            timeout: TIMEOUT_MILLISECONDS,
          },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.once('error', reject);
            response.once('end', () => {
              const { statusCode: status = 0, headers } = response;
              resolve({ status, headers, body: Buffer.concat(chunks).toString('utf8') });
            });
          },
        );
        request.once('timeout', () => request.destroy(new Error(`no answer from ${url.host} in time`)));
        request.once('error', reject);
        request.end(body);
      },
    );
    for (const cookie of answer.headers['set-cookie'] ?? []) this.#keep(url.hostname, cookie);
    return answer;
  }

  #headers({ method, url, body, from }: Visit): OutgoingHttpHeaders {
    const referer = from && refererFor(from.url, url, from.referrerPolicy);
    const cookies = [...(this.#cookies.get(url.hostname) ?? [])].map((pair) => pair.join('='));
    return {
      'user-agent': USER_AGENT,
      accept: 'text/html',
      'accept-language': 'zh-CN,zh;q=0.9,en;q=0.8',
      ...(cookies.length > 0 && { cookie: cookies.join('; ') }),
      ...(referer !== undefined && { referer }),
      ...(method === 'POST' && from && { origin: referer === undefined ? 'null' : from.url.origin }),
      ...(body !== undefined && {
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': Buffer.byteLength(body),
      }),
    };
  }

  #keep(host: string, cookie: string): void {
    const [, name = '', value = ''] = /^([^=;]+)=([^;]*)/.exec(cookie) ?? [];
    if (name === '') return;
    const jar = this.#cookies.get(host) ?? new Map<string, string>();
    this.#cookies.set(host, jar.set(name.trim(), value.trim()));
  }
}
