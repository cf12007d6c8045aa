import { isWechatH5Error, WechatH5Error } from './errors.js';
import { readRawBody, type ParsedBody, type ParsedIncomingMessage } from './raw-body.js';

/** A form with a Pay button is small. */
const MAX_BYTES = 16 * 1024;

/**
 * The fields of a submitted form: what an earlier body parser has left, or the stream itself. A field that stands twice
 * counts once, the first time; one that is no text does not count.
 *
 * @param parsed where the framework's parsers leave their result, if that is not the request itself
 * @throws {WechatH5Error} `FORM_INVALID`
 */
export async function readForm(
  request: ParsedIncomingMessage,
  parsed: ParsedBody = request,
): Promise<Readonly<Record<string, string>>> {
  const fields = Object.create(null) as Record<string, string>;
  const { body } = parsed;
  if (isRecord(body) && request.readableDidRead) {
    for (const [name, value] of Object.entries(body)) if (typeof value === 'string') fields[name] = value;
    return fields;
  }
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type)) throw formInvalid('is not a submitted form');
  let bytes: Uint8Array;
  try {
    bytes = await readRawBody(request, { maxBytes: MAX_BYTES }, parsed);
  } catch (error) {
    if (isWechatH5Error(error)) throw formInvalid(`could not be read: ${error.code}`, error);
    throw error;
  }
  for (const [name, value] of new URLSearchParams(Buffer.from(bytes).toString('utf8'))) fields[name] ??= value;
  return fields;
}

function isRecord(body: unknown): body is Record<string, unknown> {
  return typeof body === 'object' && body !== null && !(body instanceof Uint8Array);
}

function formInvalid(problem: string, cause?: unknown): WechatH5Error {
  return new WechatH5Error('FORM_INVALID', `What was posted ${problem}`, {
    hint: 'Post the form as application/x-www-form-urlencoded, up to 16 KiB. 请以普通表单提交。',
    cause,
  });
}
