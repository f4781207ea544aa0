/* Forwards, services, language, notifications. */
import { useState } from "react";
import { language, languages, t } from "../i18n";
import { truth } from "../model";
import { useObject, useSession, useSetting } from "../ui/hooks";
import { Dialog } from "../ui/parts";
import { applyTheme } from "./shell";

const FORWARDS = [["unc", "fwdunc"], ["busy", "fwdbusy"], ["rna", "fwdrna"]] as const;
const SERVICES = ["enablednd", "enablevoicemail", "incallfilter", "callrecord"];

export function Settings({ onClose }: { onClose: () => void }) {
  const session = useSession();
  const me = useObject("users", session.user);
  const [theme, setTheme] = useSetting("theme", "auto");
  const [, setLanguage] = useSetting("language", language());
  const [notes, setNotes] = useState("Notification" in window ? Notification.permission : "denied");
  if (!me) return null;
  return (
    <Dialog title={t("settings")} onClose={onClose}>
      <div className="form">
        {FORWARDS.filter(([, s]) => session.canService(s)).map(([kind]) => <Forward key={kind} kind={kind} on={truth(me["enable" + kind])} to={String(me["dest" + kind] ?? "")} />)}
        {SERVICES.filter((s) => session.canService(s)).map((s) => (
          <label key={s} className="check"><input type="checkbox" checked={truth(me[s])} onChange={(e) => session.setService(s, e.target.checked)} />{t("service." + s)}</label>
        ))}
        <label>{t("settings.language")}
          <select value={language()} onChange={(e) => { setLanguage(e.target.value); window.location.reload(); }}>
            {languages.map(([code, name]) => <option key={code} value={code}>{name}</option>)}
          </select></label>
        <label>{t("settings.theme")}
          <select value={theme} onChange={(e) => { setTheme(e.target.value); applyTheme(e.target.value); }}>
            {["auto", "light", "dark"].map((x) => <option key={x} value={x}>{t("theme." + x)}</option>)}
          </select></label>
        {notes === "default" && <button type="button" className="button outline" onClick={() => Notification.requestPermission().then(setNotes)}>{t("settings.notify")}</button>}
        {notes === "denied" && <p className="hint">{t("settings.nonotify")}</p>}
        {"registerProtocolHandler" in navigator && window.isSecureContext && (
          <button type="button" className="button outline" onClick={() => navigator.registerProtocolHandler("tel", `${window.location.origin}/#dial=%s`)}>{t("settings.tel")}</button>
        )}
      </div>
    </Dialog>
  );
}

function Forward({ kind, on, to }: { kind: "unc" | "busy" | "rna"; on: boolean; to: string }) {
  const session = useSession();
  const [text, setText] = useState(to);
  return (
    <div className="forward">
      <label className="check"><input type="checkbox" checked={on} disabled={!on && !text.trim()} onChange={(e) => session.setForward(kind, e.target.checked, text)} />{t("forward." + kind)}</label>
      <input value={text} inputMode="tel" aria-label={t("forward.number." + kind)} placeholder={t("forward.number")} onChange={(e) => setText(e.target.value)}
        onKeyDown={(e) => { if (e.key === "Enter" && text.trim()) session.setForward(kind, true, text); }}
        onBlur={() => { if (text !== to) session.setForward(kind, on && text.trim() !== "", text); }} />
    </div>
  );
}
