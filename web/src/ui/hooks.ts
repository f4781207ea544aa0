/* React and the store: components are drawn anew when what they show changes. */
import { createContext, useCallback, useContext, useEffect, useState, useSyncExternalStore } from "react";
import type { Session } from "../session";
import type { ListName, Obj } from "../store";
import type { Card } from "../model";

export const SessionContext = createContext<Session>(null as unknown as Session);

export function useSession(): Session {
  return useContext(SessionContext);
}

function useStoreTopic(topic: string): number {
  const { store } = useSession();
  const subscribe = useCallback((fn: () => void) => store.subscribe(topic, fn), [store, topic]);
  return useSyncExternalStore(subscribe, () => store.version(topic));
}

export function useTopic(topic: string): number {
  const session = useSession();
  const subscribe = useCallback((fn: () => void) => session.subscribe(topic, fn), [session, topic]);
  return useSyncExternalStore(subscribe, () => session.version(topic));
}

export function useObject(list: ListName, key: string): Obj | undefined {
  const { store } = useSession();
  useStoreTopic(`${list}:${key}`);
  return store.get(list, key);
}

export function useList(list: ListName): Obj[] {
  const { store } = useSession();
  useStoreTopic(list);
  return store.all(list);
}

export function useCard(key: string): Card | undefined {
  const { store } = useSession();
  useStoreTopic("card:" + key);
  return store.card(key);
}

export function useLamps(): number {
  return useStoreTopic("lamps");
}

export function useStats(): Record<string, Record<string, number>> {
  const { store } = useSession();
  useStoreTopic("stats");
  return store.stats;
}

/* The own calls. */
export function useMyChannels(): Obj[] {
  const session = useSession();
  useStoreTopic("channels");
  useStoreTopic("phones");
  return session.myChannels();
}

/* Drawn anew each second while `on`. */
export function useSeconds(on = true): void {
  const [, set] = useState(0);
  useEffect(() => {
    if (!on) return;
    const timer = setInterval(() => set((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, [on]);
}

/* A setting of this browser. */
export function useSetting(name: string, initial: string): [string, (value: string) => void] {
  const key = "ctibus." + name;
  const [value, set] = useState(() => localStorage.getItem(key) ?? initial);
  return [value, (v) => {
    localStorage.setItem(key, v);
    set(v);
  }];
}

/* Calls fn when a click or Escape is elsewhere. */
export function useDismiss(ref: { current: HTMLElement | null }, fn: () => void, on: boolean): void {
  useEffect(() => {
    if (!on) return;
    const click = (e: Event) => {
      if (!ref.current?.contains(e.target as Node)) fn();
    };
    const key = (e: KeyboardEvent) => {
      if (e.key === "Escape") fn();
    };
    document.addEventListener("pointerdown", click);
    document.addEventListener("keydown", key);
    return () => {
      document.removeEventListener("pointerdown", click);
      document.removeEventListener("keydown", key);
    };
  });
}
