import type { Endpoint } from '../servers/server-process.js';

/** What a configuration leaves open, by the names it uses: `${LISTEN}`, in a Caddyfile `{$SHOP}`. */
export interface Placeholders {
  /** `127.0.0.21:8080`, where visitors connect. */
  readonly LISTEN: string;
  /** `127.0.0.30:3000` or the path of a UNIX socket, where requests go. */
  readonly SHOP: string;
  /** The address or range of the proxy in front. */
  readonly LOAD_BALANCER?: string;
}

export interface LaunchPlan {
  /** The configuration, an absolute path. */
  readonly file: string;
  /** An empty folder for whatever the server writes. */
  readonly folder: string;
  /** Where to listen; its address is also the one to connect from. */
  readonly listen: Endpoint;
  readonly placeholders: Placeholders;
}

/** How one server is started without touching anything of the machine. */
export interface Launcher {
  readonly binary: string;
  /** Debian's name. */
  readonly package: string;
  /** Makes the binary say its version. */
  readonly versionArgument: string;
  /** The one address it connects from, when it cannot be told another. */
  readonly fixedAddress?: string;
  /** Writes what surrounds the configuration into the folder; returns the command's arguments. */
  prepare(plan: LaunchPlan): readonly string[];
}
