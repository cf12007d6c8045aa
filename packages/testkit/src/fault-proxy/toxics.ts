/** Which bytes: `upstream` from the client to the server, `downstream` back. */
export type Stream = 'upstream' | 'downstream';

interface OnStream {
  /** Default `downstream`. */
  readonly stream?: Stream;
  /** The share of connections it affects, 0 to 1, drawn once for each. Default 1. */
  readonly toxicity?: number;
  /** Only these connections, counted from 0. Default all. */
  readonly connections?: (index: number) => boolean;
}

/** What can be done to a connection, in the words of toxiproxy, and three more. Times are milliseconds. */
export type Toxic = OnStream &
  (
    | { readonly type: 'latency'; readonly latency: number; readonly jitter?: number }
    /** `rate` in kilobytes a second. */
    | { readonly type: 'bandwidth'; readonly rate: number }
    /** The end of the stream is passed on `delay` late. */
    | { readonly type: 'slow_close'; readonly delay: number }
    /** Nothing gets through, and after `timeout` the connection closes; 0: never. */
    | { readonly type: 'timeout'; readonly timeout: number }
    /** Both ends are reset, `timeout` after the connection was made or the toxic was added; or once `bytes` have passed. */
    | { readonly type: 'reset_peer'; readonly timeout: number }
    | { readonly type: 'reset_peer'; readonly bytes: number }
    /** Pieces of `averageSize` ± `sizeVariation` bytes, `delay` apart. */
    | {
        readonly type: 'slicer';
        readonly averageSize: number;
        readonly sizeVariation?: number;
        readonly delay?: number;
      }
    /** The connection closes, properly, once so many bytes have passed. */
    | { readonly type: 'limit_data'; readonly bytes: number }
    /** The byte at this offset of the stream arrives with all its bits turned round. */
    | { readonly type: 'corrupt'; readonly at: number }
    /** The other end has vanished without a word: bytes are taken, none is passed on, nothing is ever closed. */
    | { readonly type: 'half_open' }
  );

export type ToxicOf<Type extends Toxic['type']> = Extract<Toxic, { type: Type }>;
