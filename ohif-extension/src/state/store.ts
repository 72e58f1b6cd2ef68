/** State that outlives every component that shows it. */
export interface Store<T> {
  get(): T;
  /** @returns ends the subscription */
  subscribe(listener: () => void): () => void;
  update(change: (state: T) => T): void;
}

export function createStore<T>(initial: T): Store<T> {
  let state = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => state,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    update: (change) => {
      const next = change(state);
      if (next === state) return;
      state = next;
      for (const listener of [...listeners]) listener();
    },
  };
}
