import { createApiClient } from "./api/api-client.ts";
import { createOhifViewer } from "./ohif/ohif-viewer.ts";
import type { OhifContext } from "./ohif/types.ts";
import { readSettings, type Settings, settingsKey } from "./settings.ts";
import { createSession, type Session } from "./state/session.ts";

/** The session of the study that is open, if one is; panels come and go around it. */
export interface Visit {
  readonly settings: Settings;
  readonly session: Session | undefined;
  enter(): void;
  leave(): void;
  /** @returns ends the subscription */
  onChange(listener: () => void): () => void;
}

export function createVisit(context: OhifContext): Visit {
  const { customizationService, userAuthenticationService } = context.servicesManager.services;
  const listeners = new Set<() => void>();
  let open: (Disposable & { readonly session: Session }) | undefined;
  let settings: Settings | undefined;
  const tell = () => {
    for (const listener of [...listeners]) listener();
  };
  const readOnce = () => {
    settings ??= readSettings(customizationService.getCustomization(settingsKey));
    return settings;
  };

  function begin(): NonNullable<typeof open> {
    const { serverUrl, texts, ...options } = readOnce();
    const viewer = createOhifViewer(context, { title: texts.title, previewOf: texts.previewOf, wait });
    const api = createApiClient({
      baseUrl: serverUrl,
      headers: () => userAuthenticationService.getAuthorizationHeader() ?? {},
    });
    const session = createSession({ api, viewer, texts, options, wait });
    return {
      session,
      [Symbol.dispose]: () => {
        session[Symbol.dispose]();
        viewer[Symbol.dispose]();
      },
    };
  }

  function leave(): void {
    open?.[Symbol.dispose]();
    open = undefined;
    tell();
  }

  return {
    get settings() {
      return readOnce();
    },
    get session() {
      return open?.session;
    },
    enter: () => {
      leave();
      open = begin();
      tell();
    },
    leave,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener(
    "abort",
    () => {
      clearTimeout(timer);
      reject(signal.reason);
    },
    { once: true },
  );
  return promise;
}
