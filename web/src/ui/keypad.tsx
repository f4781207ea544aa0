/* The keys of a telephone, for a call: by mouse, or typed while it is open. */
import { useEffect, useRef, useState } from "react";
import { t } from "../i18n";
import { IconButton } from "./parts";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const SHOWN = 20; // the last ones

/* Is this a key of a telephone, typed at none of the page's own fields? A to D have no button. */
export function telephoneKey(e: { key: string; ctrlKey: boolean; metaKey: boolean; altKey: boolean; target: unknown }): string {
  const field = (e.target as Element | null)?.closest?.("input, textarea, select, [contenteditable]");
  return !field && !e.ctrlKey && !e.metaKey && !e.altKey && /^[0-9*#A-D]$/.test(e.key) ? e.key : "";
}

export function Keypad({ onKey, onClose }: { onKey: (key: string) => void; onClose: () => void }) {
  const [sent, setSent] = useState("");
  const ref = useRef<HTMLDivElement>(null);
  const press = useRef((_: string) => {});
  press.current = (key) => {
    onKey(key);
    setSent((before) => (before + key).slice(-SHOWN));
  };
  useEffect(() => {
    ref.current?.focus();
    const typed = (e: KeyboardEvent) => {
      const key = e.repeat ? "" : telephoneKey(e);
      if (!key) return;
      e.preventDefault();
      press.current(key);
    };
    document.addEventListener("keydown", typed);
    return () => document.removeEventListener("keydown", typed);
  }, []);
  return (
    <div className="keypad" role="group" aria-label={t("keypad")} tabIndex={-1} ref={ref} onKeyDown={(e) => { if (e.key === "Escape") onClose(); }}>
      <div className="keypad-sent"><output aria-live="polite">{sent || <span className="hint">{t("keypad.hint")}</span>}</output><IconButton icon="close" label={t("keypad.close")} onClick={onClose} /></div>
      <div className="keypad-keys">{KEYS.map((key) => <button type="button" key={key} className="button plain" onClick={() => press.current(key)}>{key}</button>)}</div>
    </div>
  );
}
