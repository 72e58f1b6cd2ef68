export interface MediaType {
  /** "multipart/related"; lower case. */
  readonly type: string;
  /** Names in lower case, values without their quotes. */
  readonly parameters: ReadonlyMap<string, string>;
}

const PARAMETER = /;\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]*))/g;

/** A Content-Type header (RFC 9110 section 8.3.1). */
export function parseMediaType(header: string | undefined): MediaType {
  const [type = ""] = (header ?? "").split(";", 1);
  const parameters = new Map<string, string>();
  for (const [, name = "", quoted, plain = ""] of (header ?? "").matchAll(PARAMETER)) {
    parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? plain);
  }
  return { type: type.trim().toLowerCase(), parameters };
}
