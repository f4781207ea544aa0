/* Texts, by language: a catalogue each (i18n/*.ts), whose keys are the same. */
import { en } from "./i18n/en";
import { fr } from "./i18n/fr";

export const catalogues: Record<string, Record<string, string>> = { en, fr };
export const languages: [string, string][] = [["en", "English"], ["fr", "Français"]];

let current: Record<string, string> = en;
let code = "en";

export function setLanguage(wanted: string): void {
  code = catalogues[wanted] ? wanted : "en";
  current = catalogues[code];
  document.documentElement.lang = code;
}

export function language(): string {
  return code;
}

/* The language of the browser, or the one that was chosen. */
export function initialLanguage(saved: string | null): string {
  return saved ?? navigator.languages?.map((l) => l.slice(0, 2)).find((l) => catalogues[l]) ?? "en";
}

/* {name} in the text becomes values.name. A key without a text is itself. */
export function t(key: string, values?: Record<string, string | number>): string {
  const text = current[key] ?? en[key] ?? key;
  return values ? text.replace(/\{(\w+)\}/g, (all, name) => String(values[name] ?? all)) : text;
}

export function time(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString(code, { hour: "2-digit", minute: "2-digit" });
}

export function day(seconds: number): string {
  const date = new Date(seconds * 1000);
  const today = new Date();
  const yesterday = new Date(today.getTime() - 86400000);
  if (date.toDateString() === today.toDateString()) return t("day.today");
  if (date.toDateString() === yesterday.toDateString()) return t("day.yesterday");
  return date.toLocaleDateString(code, { weekday: "long", day: "numeric", month: "long" });
}
